// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/vulkan_device.h"

#include <chrono>
#include <vector>

#include "emulator/vulkan/candidate.h"
#include "emulator/vulkan/word.h"
#include "kawara/error.h"

namespace kawara::emulator::vulkan {

void check(VkResult result, const char* call) {
  switch (result) {
    case VK_SUCCESS: return;
    case VK_ERROR_OUT_OF_HOST_MEMORY:
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: throw fail(Code::out_of_memory, "{} found no memory", call);
    case VK_ERROR_DEVICE_LOST: throw fail(Code::device_lost, "{} lost the Vulkan device", call);
    default: throw fail(Code::internal, "{} failed with VkResult {}", call, static_cast<int>(result));
  }
}

VulkanDevice::VulkanDevice(const std::string& wanted) {
  choose(wanted);
  create();
  create_layout();
}

VulkanDevice::~VulkanDevice() {
  functions_.DestroyPipelineLayout(device_, layout_, nullptr);
  functions_.DestroyDevice(device_, nullptr);
}

void VulkanDevice::choose(const std::string& wanted) {
  std::string reasons;
  for (const Candidate& candidate : candidates(library_)) {
    if (candidate.name.find(wanted) == std::string::npos) {
      reasons += fmt::format(" '{}' is not named '{}'.", candidate.name, wanted);
    } else if (!candidate.lacks.empty()) {
      reasons += fmt::format(" '{}' lacks {}.", candidate.name, candidate.lacks);
    } else {
      physical_ = candidate.handle;
      name_ = candidate.name;
      driver_ = candidate.driver;
      import_alignment_ = candidate.import_alignment;
      software_lanes_ = candidate.software_lanes;
      library_.functions().GetPhysicalDeviceMemoryProperties(physical_, &memory_);
      return;
    }
  }
  throw fail(Code::device_unavailable, "no Vulkan device has what the executor needs:{}", reasons);
}

void VulkanDevice::create() {
  const auto& vk = library_.functions();
  uint32_t count = 0;
  vk.GetPhysicalDeviceQueueFamilyProperties(physical_, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vk.GetPhysicalDeviceQueueFamilyProperties(physical_, &count, families.data());
  while (queue_family_ < count && !(families[queue_family_].queueFlags & VK_QUEUE_COMPUTE_BIT)) ++queue_family_;
  if (queue_family_ == count) throw fail(Code::device_unavailable, "Vulkan device '{}' has no compute queue", name_);

  Features features;
  features.ask_for_all();
  const float priority = 1;
  VkDeviceQueueCreateInfo queue{};
  queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue.queueFamilyIndex = queue_family_;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  const char* extension = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
  VkDeviceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  info.pNext = &features.base;
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  info.enabledExtensionCount = 1;
  info.ppEnabledExtensionNames = &extension;
  if (const VkResult result = vk.CreateDevice(physical_, &info, nullptr, &device_); result != VK_SUCCESS)
    throw fail(Code::device_unavailable, "Vulkan device '{}' does not open (VkResult {})", name_, static_cast<int>(result));
  functions_ = library_.device_functions(device_);
  functions_.GetDeviceQueue(device_, queue_family_, 0, &queue_);
}

void VulkanDevice::create_layout() {
  const VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, software_lanes_ != 0 ? kLanePushBytes : kPushBytes};
  VkPipelineLayoutCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
  info.pushConstantRangeCount = 1;
  info.pPushConstantRanges = &range;
  check(functions_.CreatePipelineLayout(device_, &info, nullptr, &layout_), "vkCreatePipelineLayout");
}

uint32_t VulkanDevice::memory_type(uint32_t allowed, VkMemoryPropertyFlags wanted) const {
  for (uint32_t i = 0; i < memory_.memoryTypeCount; ++i)
    if ((allowed >> i & 1) && (memory_.memoryTypes[i].propertyFlags & wanted) == wanted) return i;
  throw fail(Code::device_unavailable, "Vulkan device '{}' has no memory that the host and shaders share", name_);
}

void VulkanDevice::run(VkCommandBuffer commands, const Progress& progress) {
  VkFenceCreateInfo fence_info{};
  fence_info.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
  VkFence fence = VK_NULL_HANDLE;
  check(functions_.CreateFence(device_, &fence_info, nullptr, &fence), "vkCreateFence");
  VkSubmitInfo submit{};
  submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  submit.commandBufferCount = 1;
  submit.pCommandBuffers = &commands;
  VkResult result;
  {
    const std::scoped_lock lock(queue_mutex_);
    result = functions_.QueueSubmit(queue_, 1, &submit, fence);
  }
  if (result == VK_SUCCESS) {
    give_word_until(progress, [&] {
      result = functions_.WaitForFences(device_, 1, &fence, VK_TRUE, std::chrono::nanoseconds(kWordEvery).count());
      return result != VK_TIMEOUT;
    });
  }
  functions_.DestroyFence(device_, fence, nullptr);
  check(result, "vkQueueSubmit");
}

}  // namespace kawara::emulator::vulkan
