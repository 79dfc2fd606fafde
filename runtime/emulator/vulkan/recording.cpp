// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/recording.h"

#include <cstring>

namespace kawara::emulator::vulkan {

Recording::Recording(std::shared_ptr<VulkanDevice> device) : device_(std::move(device)) {
  VkCommandPoolCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  info.queueFamilyIndex = device_->queue_family();
  check(device_->vk().CreateCommandPool(device_->handle(), &info, nullptr, &pool_), "vkCreateCommandPool");
}

Recording::~Recording() { device_->vk().DestroyCommandPool(device_->handle(), pool_, nullptr); }

void Recording::add(Dispatch dispatch, uint32_t command) { items_.push_back({std::move(dispatch), command, false, false, 0}); }
void Recording::add_host_copy(uint32_t command) { items_.push_back({{}, command, true, false, 0}); }
void Recording::retire(uint32_t command) { items_.push_back({{}, command, false, true, 0}); }

void Recording::place_parameters() {
  uint64_t size = 8;
  for (Item& item : items_) {
    item.parameters_at = size;
    size += (item.dispatch.parameters.size() + 15) / 16 * 16;
  }
  parameters_ = std::make_unique<VulkanBuffer>(device_, size);
  for (const Item& item : items_) {
    if (item.dispatch.parameters.empty()) continue;
    std::memcpy(parameters_->bytes().data() + item.parameters_at, item.dispatch.parameters.data(), item.dispatch.parameters.size());
    for (const AddressSlot& slot : item.dispatch.slots) slots_.push_back({item.parameters_at + slot.at, slot.place});
  }
}

VkCommandBuffer Recording::begin() {
  VkCommandBufferAllocateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  info.commandPool = pool_;
  info.commandBufferCount = 1;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  check(device_->vk().AllocateCommandBuffers(device_->handle(), &info, &commands), "vkAllocateCommandBuffers");
  VkCommandBufferBeginInfo begin_info{};
  begin_info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  check(device_->vk().BeginCommandBuffer(commands, &begin_info), "vkBeginCommandBuffer");
  return commands;
}

void Recording::record(VkCommandBuffer commands, const Item& item, bool is_first) {
  const auto& vk = device_->vk();
  if (!is_first && !item.dispatch.joins_previous) {
    VkMemoryBarrier barrier{};
    barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
    barrier.srcAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
    barrier.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
    vk.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &barrier, 0, nullptr,
                          0, nullptr);
  }
  const uint64_t address = parameters_->address() + item.parameters_at;
  vk.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, item.dispatch.pipeline);
  vk.CmdPushConstants(commands, device_->layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(address), &address);
  vk.CmdDispatch(commands, item.dispatch.groups_x, item.dispatch.groups_y, item.dispatch.groups_z);
}

Step& Recording::add_step(Step::Kind kind) {
  Step step;
  step.kind = kind;
  step.retired = steps_.empty() ? 0 : steps_.back().retired;
  return steps_.emplace_back(step);
}

void Recording::finish() {
  place_parameters();
  VkCommandBuffer open = VK_NULL_HANDLE;
  uint64_t estimate_ns = 0;
  const auto close = [&] {
    if (open) check(device_->vk().EndCommandBuffer(open), "vkEndCommandBuffer");
    open = VK_NULL_HANDLE;
    estimate_ns = 0;
  };
  for (const Item& item : items_) {
    if (item.is_retirement) {
      if (steps_.empty()) add_step(Step::Kind::nothing);
      steps_.back().retired = item.command + 1;
      continue;
    }
    if (item.is_host_copy) {
      close();
      add_step(Step::Kind::host_copy).copy = item.command;
      continue;
    }
    if (open && estimate_ns + item.dispatch.estimate_ns > kSliceNs) close();
    const bool is_first = open == VK_NULL_HANDLE;
    if (is_first) add_step(Step::Kind::submit).commands = open = begin();
    record(open, item, is_first);
    estimate_ns += item.dispatch.estimate_ns;
  }
  close();
  items_.clear();
  items_.shrink_to_fit();
}

uint64_t Recording::size_bytes() const {
  // A command buffer's own memory is the driver's; what it holds is about as large as the parameters.
  return 2 * (parameters_ ? parameters_->bytes().size() : 0) + slots_.size() * sizeof(AddressSlot) + steps_.size() * 4096;
}

void Recording::write_addresses(const std::function<uint64_t(const Place&)>& address) {
  for (const AddressSlot& slot : slots_) {
    const uint64_t value = address(slot.place);
    std::memcpy(parameters_->bytes().data() + slot.at, &value, sizeof(value));
  }
}

}  // namespace kawara::emulator::vulkan
