// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/vulkan_device.h"

#include <array>
#include <cstring>
#include <vector>

#include "kawara/error.h"

namespace kawara::emulator::vulkan {

namespace {

// The features that generated shaders use, chained for a query or for vkCreateDevice.
struct Features {
  VkPhysicalDeviceFeatures2 base{};
  VkPhysicalDeviceVulkan11Features v11{};
  VkPhysicalDeviceVulkan12Features v12{};

  Features() {
    base.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    v11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
    v12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    base.pNext = &v11;
    v11.pNext = &v12;
  }
  Features(const Features&) = delete;
};

struct Need {
  const char* name;
  VkBool32& (*field)(Features&);
};
constexpr Need kNeeds[] = {
    {"shaderInt64", [](Features& f) -> VkBool32& { return f.base.features.shaderInt64; }},
    {"shaderInt16", [](Features& f) -> VkBool32& { return f.base.features.shaderInt16; }},
    {"shaderInt8", [](Features& f) -> VkBool32& { return f.v12.shaderInt8; }},
    {"storageBuffer16BitAccess", [](Features& f) -> VkBool32& { return f.v11.storageBuffer16BitAccess; }},
    {"storageBuffer8BitAccess", [](Features& f) -> VkBool32& { return f.v12.storageBuffer8BitAccess; }},
    {"bufferDeviceAddress", [](Features& f) -> VkBool32& { return f.v12.bufferDeviceAddress; }},
};

// What the device lacks, or nothing.
std::string missing(const VulkanInstanceFunctions& vk, VkPhysicalDevice device, const VkPhysicalDeviceVulkan12Properties& v12) {
  Features features;
  vk.GetPhysicalDeviceFeatures2(device, &features.base);
  for (const Need& need : kNeeds)
    if (!need.field(features)) return need.name;
  if (!v12.shaderSignedZeroInfNanPreserveFloat32) return "shaderSignedZeroInfNanPreserveFloat32";
  if (!v12.shaderRoundingModeRTEFloat32) return "shaderRoundingModeRTEFloat32";
  uint32_t count = 0;
  vk.EnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr);
  std::vector<VkExtensionProperties> extensions(count);
  vk.EnumerateDeviceExtensionProperties(device, nullptr, &count, extensions.data());
  for (const auto& extension : extensions)
    if (std::strcmp(extension.extensionName, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME) == 0) return {};
  return VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
}

}  // namespace

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
  const auto& vk = library_.functions();
  uint32_t count = 0;
  vk.EnumeratePhysicalDevices(library_.instance(), &count, nullptr);
  std::vector<VkPhysicalDevice> devices(count);
  if (count == 0 || vk.EnumeratePhysicalDevices(library_.instance(), &count, devices.data()) != VK_SUCCESS)
    throw fail(Code::device_unavailable, "Vulkan finds no device; a software driver such as lavapipe will do");
  std::string reasons;
  for (const VkPhysicalDevice device : devices) {
    VkPhysicalDeviceExternalMemoryHostPropertiesEXT import{};
    import.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT;
    VkPhysicalDeviceVulkan11Properties v11{};
    v11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES;
    v11.pNext = &import;
    VkPhysicalDeviceVulkan12Properties v12{};
    v12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES;
    v12.pNext = &v11;
    VkPhysicalDeviceProperties2 properties{};
    properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    properties.pNext = &v12;
    vk.GetPhysicalDeviceProperties2(device, &properties);
    const std::string name = properties.properties.deviceName;
    if (name.find(wanted) == std::string::npos) {
      reasons += fmt::format(" '{}' is not named '{}'.", name, wanted);
      continue;
    }
    const std::string lack = properties.properties.apiVersion < VK_API_VERSION_1_2 ? "Vulkan 1.2" : missing(vk, device, v12);
    if (!lack.empty()) {
      reasons += fmt::format(" '{}' lacks {}.", name, lack);
      continue;
    }
    physical_ = device;
    name_ = name;
    import_alignment_ = import.minImportedHostPointerAlignment;
    has_software_lanes_ = properties.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU && v11.subgroupSize == 8;
    vk.GetPhysicalDeviceMemoryProperties(device, &memory_);
    return;
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
  for (const Need& need : kNeeds) need.field(features) = VK_TRUE;
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
  const VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, kPushBytes};
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

void VulkanDevice::run(VkCommandBuffer commands) {
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
  if (result == VK_SUCCESS) result = functions_.WaitForFences(device_, 1, &fence, VK_TRUE, UINT64_MAX);
  functions_.DestroyFence(device_, fence, nullptr);
  check(result, "vkQueueSubmit");
}

}  // namespace kawara::emulator::vulkan
