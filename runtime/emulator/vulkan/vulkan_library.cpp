// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/vulkan_library.h"

#include <dlfcn.h>

#include "kawara/error.h"

namespace kawara::emulator::vulkan {

VulkanLibrary::VulkanLibrary() {
  library_ = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library_) throw fail(Code::device_unavailable, "the Vulkan loader libvulkan.so.1 is not installed: {}", dlerror());
  const auto get = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library_, "vkGetInstanceProcAddr"));
  const auto create = get ? reinterpret_cast<PFN_vkCreateInstance>(get(nullptr, "vkCreateInstance")) : nullptr;
  VkApplicationInfo application{};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pApplicationName = "kawara";
  application.apiVersion = VK_API_VERSION_1_2;
  VkInstanceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;
  const VkResult result = create ? create(&info, nullptr, &instance_) : VK_ERROR_INITIALIZATION_FAILED;
  if (result != VK_SUCCESS) {
    dlclose(library_);
    throw fail(Code::device_unavailable, "Vulkan finds no driver that makes an instance (VkResult {})", static_cast<int>(result));
  }
#define KAWARA_VULKAN_LOAD(name) functions_.name = reinterpret_cast<PFN_vk##name>(get(instance_, "vk" #name));
  KAWARA_VULKAN_INSTANCE_FUNCTIONS(KAWARA_VULKAN_LOAD)
#undef KAWARA_VULKAN_LOAD
}

VulkanLibrary::~VulkanLibrary() {
  // The library stays open: drivers keep threads and exit handlers that must not lose their code.
  functions_.DestroyInstance(instance_, nullptr);
}

VulkanFunctions VulkanLibrary::device_functions(VkDevice device) const {
  VulkanFunctions result;
#define KAWARA_VULKAN_LOAD(name) result.name = reinterpret_cast<PFN_vk##name>(functions_.GetDeviceProcAddr(device, "vk" #name));
  KAWARA_VULKAN_DEVICE_FUNCTIONS(KAWARA_VULKAN_LOAD)
#undef KAWARA_VULKAN_LOAD
  return result;
}

}  // namespace kawara::emulator::vulkan
