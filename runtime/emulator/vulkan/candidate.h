// SPDX-License-Identifier: Apache-2.0
// A Vulkan device as it was found, and whether it has what generated shaders need.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/vulkan/vulkan_library.h"

namespace kawara::emulator::vulkan {

// The features that generated shaders use, chained for a query or for vkCreateDevice.
struct Features {
  VkPhysicalDeviceFeatures2 base{};
  VkPhysicalDeviceVulkan11Features v11{};
  VkPhysicalDeviceVulkan12Features v12{};

  Features();
  Features(const Features&) = delete;
  void ask_for_all();  // that shaders use
};

struct Candidate {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  std::string name, driver;
  std::string lacks;  // empty when it will do
  uint64_t import_alignment = 4096;
  uint32_t software_lanes = 0;  // see VulkanDevice
};

// All devices, in Vulkan's order. Throws device_unavailable when there is none.
std::vector<Candidate> candidates(const VulkanLibrary& library);

}  // namespace kawara::emulator::vulkan
