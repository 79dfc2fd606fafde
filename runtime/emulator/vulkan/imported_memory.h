// SPDX-License-Identifier: Apache-2.0
// One of the chip's memories as shaders see it: imported piece by piece, when a job first touches it.
#pragma once

#include <memory>
#include <vector>

#include "emulator/vulkan/vulkan_buffer.h"

namespace kawara::emulator::vulkan {

class ImportedMemory {
 public:
  // Devices refuse large buffers, so memory comes in slabs.
  static constexpr uint64_t kSlabBytes = uint64_t{1} << 30;

  ImportedMemory(std::shared_ptr<VulkanDevice> device, std::span<std::byte> memory, uint64_t slab_bytes = kSlabBytes);

  // Where shaders find the `size` bytes at `data`. Throws out_of_memory if the device cannot show them as one piece.
  uint64_t address(const std::byte* data, uint64_t size);

 private:
  VulkanBuffer& slab(uint64_t index);
  uint64_t import_range(uint64_t begin, uint64_t end);

  std::shared_ptr<VulkanDevice> device_;
  std::span<std::byte> memory_;
  uint64_t slab_bytes_;
  std::vector<std::unique_ptr<VulkanBuffer>> slabs_;
  std::vector<std::unique_ptr<VulkanBuffer>> ranges_;  // what crosses slabs that do not follow each other on the device
};

}  // namespace kawara::emulator::vulkan
