// SPDX-License-Identifier: Apache-2.0
// The Vulkan device that executors share: its choice, its features, its queue.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "emulator/executor.h"
#include "emulator/vulkan/vulkan_library.h"

namespace kawara::emulator::vulkan {

// Push constants of pipelines: the address of a dispatch's parameters, or those themselves. Vulkan promises 128 bytes; a device
// with software lanes has more.
inline constexpr uint32_t kPushBytes = 128, kLanePushBytes = 256;

class VulkanDevice {
 public:
  // The first device that has what the executor needs; `wanted`: only one whose name contains it. Throws device_unavailable.
  explicit VulkanDevice(const std::string& wanted);
  ~VulkanDevice();
  VulkanDevice(const VulkanDevice&) = delete;
  VulkanDevice& operator=(const VulkanDevice&) = delete;

  VkDevice handle() const { return device_; }
  const VulkanFunctions& vk() const { return functions_; }
  const std::string& name() const { return name_; }
  const std::string& driver() const { return driver_; }  // its name and version
  uint32_t queue_family() const { return queue_family_; }
  uint64_t import_alignment() const { return import_alignment_; }
  VkPipelineLayout layout() const { return layout_; }  // of every pipeline
  // Lanes of a subgroup, 8 or 16, of a device that is a program and has kLanePushBytes of push constants: kernels written for
  // lavapipe suit it. Else 0.
  uint32_t software_lanes() const { return software_lanes_; }

  // A memory type out of `allowed` with all of `wanted`; device_unavailable if there is none.
  uint32_t memory_type(uint32_t allowed, VkMemoryPropertyFlags wanted) const;
  // Submits and waits until the commands have run, with word of it. Thread-safe. device_lost if the device gives up.
  void run(VkCommandBuffer commands, const Progress& progress);

 private:
  void choose(const std::string& wanted);
  void create();
  void create_layout();

  VulkanLibrary library_;
  VkPhysicalDevice physical_ = VK_NULL_HANDLE;
  VkDevice device_ = VK_NULL_HANDLE;
  VulkanFunctions functions_;
  std::string name_, driver_;
  uint32_t queue_family_ = 0;
  uint64_t import_alignment_ = 4096;
  uint32_t software_lanes_ = 0;
  VkPhysicalDeviceMemoryProperties memory_{};
  VkQueue queue_ = VK_NULL_HANDLE;
  VkPipelineLayout layout_ = VK_NULL_HANDLE;
  std::mutex queue_mutex_;
};

// Throws for a Vulkan call that failed: out_of_memory, device_lost or internal, naming the call.
void check(VkResult result, const char* call);

}  // namespace kawara::emulator::vulkan
