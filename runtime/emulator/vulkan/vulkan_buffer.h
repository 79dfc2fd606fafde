// SPDX-License-Identifier: Apache-2.0
// Memory that shaders reach by address and the host by pointer: allocated, or imported from the process.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "emulator/vulkan/vulkan_device.h"

namespace kawara::emulator::vulkan {

class VulkanBuffer {
 public:
  VulkanBuffer(std::shared_ptr<VulkanDevice> device, uint64_t size_bytes);
  // Shaders see `bytes` themselves, whose start and size are multiples of the device's import alignment.
  VulkanBuffer(std::shared_ptr<VulkanDevice> device, std::span<std::byte> bytes);
  ~VulkanBuffer();
  VulkanBuffer(const VulkanBuffer&) = delete;
  VulkanBuffer& operator=(const VulkanBuffer&) = delete;

  std::span<std::byte> bytes() const { return bytes_; }
  uint64_t address() const { return address_; }

 private:
  void release();
  void create(uint64_t size_bytes, const void* import_info);
  void bind(VkMemoryPropertyFlags properties, uint32_t allowed, const void* import_info, uint64_t size_bytes);

  std::shared_ptr<VulkanDevice> device_;
  VkBuffer buffer_ = VK_NULL_HANDLE;
  VkDeviceMemory memory_ = VK_NULL_HANDLE;
  std::span<std::byte> bytes_;
  uint64_t address_ = 0;
};

}  // namespace kawara::emulator::vulkan
