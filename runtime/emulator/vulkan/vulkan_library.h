// SPDX-License-Identifier: Apache-2.0
// libvulkan, opened when it is first needed, and the functions that the executor calls.
#pragma once

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

namespace kawara::emulator::vulkan {

// clang-format off: it lays such lists out anew each time.
#define KAWARA_VULKAN_INSTANCE_FUNCTIONS(X) \
  X(DestroyInstance) X(EnumeratePhysicalDevices) X(GetPhysicalDeviceProperties2) X(GetPhysicalDeviceFeatures2) \
  X(GetPhysicalDeviceMemoryProperties) X(GetPhysicalDeviceQueueFamilyProperties) X(CreateDevice) \
  X(EnumerateDeviceExtensionProperties) X(GetDeviceProcAddr)

#define KAWARA_VULKAN_DEVICE_FUNCTIONS(X) \
  X(DestroyDevice) X(GetDeviceQueue) X(DeviceWaitIdle) X(CreateBuffer) X(DestroyBuffer) X(GetBufferMemoryRequirements) \
  X(AllocateMemory) X(FreeMemory) X(BindBufferMemory) X(MapMemory) X(GetBufferDeviceAddress) X(CreateShaderModule) \
  X(DestroyShaderModule) X(CreatePipelineLayout) X(DestroyPipelineLayout) X(CreateComputePipelines) X(DestroyPipeline) \
  X(CreateCommandPool) X(DestroyCommandPool) X(AllocateCommandBuffers) X(BeginCommandBuffer) X(EndCommandBuffer) \
  X(CmdBindPipeline) X(CmdPushConstants) X(CmdDispatch) X(CmdPipelineBarrier) X(QueueSubmit) X(CreateFence) X(DestroyFence) \
  X(ResetFences) X(WaitForFences) X(GetMemoryHostPointerPropertiesEXT)
// clang-format on

struct VulkanInstanceFunctions {
#define KAWARA_VULKAN_POINTER(name) PFN_vk##name name = nullptr;
  KAWARA_VULKAN_INSTANCE_FUNCTIONS(KAWARA_VULKAN_POINTER)
};
struct VulkanFunctions {
  KAWARA_VULKAN_DEVICE_FUNCTIONS(KAWARA_VULKAN_POINTER)
#undef KAWARA_VULKAN_POINTER
};

class VulkanLibrary {
 public:
  VulkanLibrary();  // throws device_unavailable: no loader, or it makes no instance
  ~VulkanLibrary();
  VulkanLibrary(const VulkanLibrary&) = delete;
  VulkanLibrary& operator=(const VulkanLibrary&) = delete;

  VkInstance instance() const { return instance_; }
  const VulkanInstanceFunctions& functions() const { return functions_; }
  VulkanFunctions device_functions(VkDevice device) const;

 private:
  void* library_ = nullptr;
  VkInstance instance_ = VK_NULL_HANDLE;
  VulkanInstanceFunctions functions_;
};

}  // namespace kawara::emulator::vulkan
