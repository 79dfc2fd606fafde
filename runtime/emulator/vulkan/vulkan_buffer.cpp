// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/vulkan_buffer.h"

namespace kawara::emulator::vulkan {

VulkanBuffer::VulkanBuffer(std::shared_ptr<VulkanDevice> device, uint64_t size_bytes) : device_(std::move(device)) {
  try {
    create(size_bytes, nullptr);
    VkMemoryRequirements need;
    device_->vk().GetBufferMemoryRequirements(device_->handle(), buffer_, &need);
    bind(VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT, need.memoryTypeBits, nullptr, need.size);
    void* mapped = nullptr;
    check(device_->vk().MapMemory(device_->handle(), memory_, 0, VK_WHOLE_SIZE, 0, &mapped), "vkMapMemory");
    bytes_ = {static_cast<std::byte*>(mapped), size_bytes};
  } catch (...) {
    release();
    throw;
  }
}

VulkanBuffer::VulkanBuffer(std::shared_ptr<VulkanDevice> device, std::span<std::byte> bytes) : device_(std::move(device)), bytes_(bytes) {
  constexpr auto kType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
  try {
    VkExternalMemoryBufferCreateInfo external{};
    external.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO;
    external.handleTypes = kType;
    create(bytes.size(), &external);
    VkMemoryHostPointerPropertiesEXT properties{};
    properties.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT;
    check(device_->vk().GetMemoryHostPointerPropertiesEXT(device_->handle(), kType, bytes.data(), &properties),
          "vkGetMemoryHostPointerPropertiesEXT");
    VkImportMemoryHostPointerInfoEXT import{};
    import.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT;
    import.handleType = kType;
    import.pHostPointer = bytes.data();
    bind(0, properties.memoryTypeBits, &import, bytes.size());
  } catch (...) {
    release();
    throw;
  }
}

VulkanBuffer::~VulkanBuffer() { release(); }

void VulkanBuffer::release() {
  if (buffer_) device_->vk().DestroyBuffer(device_->handle(), buffer_, nullptr);
  if (memory_) device_->vk().FreeMemory(device_->handle(), memory_, nullptr);
}

void VulkanBuffer::create(uint64_t size_bytes, const void* import_info) {
  VkBufferCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.pNext = import_info;
  info.size = size_bytes;
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
  check(device_->vk().CreateBuffer(device_->handle(), &info, nullptr, &buffer_), "vkCreateBuffer");
}

void VulkanBuffer::bind(VkMemoryPropertyFlags properties, uint32_t allowed, const void* import_info, uint64_t size_bytes) {
  VkMemoryAllocateFlagsInfo flags{};
  flags.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO;
  flags.pNext = import_info;
  flags.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT;
  VkMemoryAllocateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
  info.pNext = &flags;
  info.allocationSize = size_bytes;
  info.memoryTypeIndex = device_->memory_type(allowed, properties);
  const auto& vk = device_->vk();
  check(vk.AllocateMemory(device_->handle(), &info, nullptr, &memory_), "vkAllocateMemory");
  check(vk.BindBufferMemory(device_->handle(), buffer_, memory_, 0), "vkBindBufferMemory");
  VkBufferDeviceAddressInfo address{};
  address.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO;
  address.buffer = buffer_;
  address_ = vk.GetBufferDeviceAddress(device_->handle(), &address);
}

}  // namespace kawara::emulator::vulkan
