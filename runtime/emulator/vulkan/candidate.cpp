// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/candidate.h"

#include <cstring>

#include "emulator/vulkan/lavapipe_vectors.h"
#include "emulator/vulkan/vulkan_device.h"
#include "kawara/error.h"
#include "kawara/vulkan_devices.h"

namespace kawara::emulator::vulkan {

namespace {

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

Candidate described(const VulkanInstanceFunctions& vk, VkPhysicalDevice device) {
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
  const bool has_lanes = properties.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU &&
                         (v11.subgroupSize == 8 || v11.subgroupSize == 16) &&
                         (v11.subgroupSupportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT) != 0 &&
                         properties.properties.limits.maxPushConstantsSize >= kLanePushBytes;
  return {.handle = device,
          .name = properties.properties.deviceName,
          .driver = fmt::format("{} {}", v12.driverName, v12.driverInfo),
          .lacks = properties.properties.apiVersion < VK_API_VERSION_1_2 ? "Vulkan 1.2" : missing(vk, device, v12),
          .import_alignment = import.minImportedHostPointerAlignment,
          .software_lanes = has_lanes ? v11.subgroupSize : 0};
}

}  // namespace

Features::Features() {
  base.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  v11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
  v12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
  base.pNext = &v11;
  v11.pNext = &v12;
}

void Features::ask_for_all() {
  for (const Need& need : kNeeds) need.field(*this) = VK_TRUE;
}

std::vector<Candidate> candidates(const VulkanLibrary& library) {
  const auto& vk = library.functions();
  uint32_t count = 0;
  vk.EnumeratePhysicalDevices(library.instance(), &count, nullptr);
  std::vector<VkPhysicalDevice> devices(count);
  if (count == 0 || vk.EnumeratePhysicalDevices(library.instance(), &count, devices.data()) != VK_SUCCESS)
    throw fail(Code::device_unavailable, "Vulkan finds no device; a software driver such as lavapipe will do");
  std::vector<Candidate> result;
  for (const VkPhysicalDevice device : devices) result.push_back(described(vk, device));
  return result;
}

}  // namespace kawara::emulator::vulkan

namespace kawara {

std::vector<VulkanDeviceDescription> vulkan_devices() {
  // Mesa looks once, and who lists devices may compute later.
  emulator::vulkan::widen_lavapipe_vectors();
  const emulator::vulkan::VulkanLibrary library;
  std::vector<VulkanDeviceDescription> result;
  for (const auto& candidate : emulator::vulkan::candidates(library)) {
    result.push_back({.name = candidate.name, .driver = candidate.driver, .lacks = candidate.lacks});
  }
  return result;
}

}  // namespace kawara
