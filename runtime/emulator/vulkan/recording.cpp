// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/recording.h"

#include <cstring>

namespace kawara::emulator::vulkan {

Recording::Recording(std::shared_ptr<VulkanDevice> device) : device_(std::move(device)) {}

Recording::~Recording() {
  for (const Encoding& encoding : encodings_) device_->vk().DestroyCommandPool(device_->handle(), encoding.pool, nullptr);
}

void Recording::add(Dispatch dispatch, uint32_t command) { items_.push_back({std::move(dispatch), command, false, false, 0}); }
void Recording::add_host_copy(uint32_t command) { items_.push_back({{}, command, true, false, 0}); }
void Recording::retire(uint32_t command) { items_.push_back({{}, command, false, true, 0}); }

void Recording::place_parameters() {
  uint64_t size = 8;
  for (Item& item : items_) {
    item.parameters_at = size;
    if (!item.dispatch.is_pushed) size += (item.dispatch.parameters.size() + 15) / 16 * 16;
  }
  parameters_ = std::make_unique<VulkanBuffer>(device_, size);
  for (size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    if (item.dispatch.is_pushed)
      for (const AddressSlot& slot : item.dispatch.slots) push_slots_.push_back({i, slot.at, slot.place});
    if (item.dispatch.is_pushed || item.dispatch.parameters.empty()) continue;
    std::memcpy(parameters_->bytes().data() + item.parameters_at, item.dispatch.parameters.data(), item.dispatch.parameters.size());
    for (const AddressSlot& slot : item.dispatch.slots) slots_.push_back({item.parameters_at + slot.at, slot.place});
  }
}

VkCommandBuffer Recording::begin(VkCommandPool pool) {
  VkCommandBufferAllocateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  info.commandPool = pool;
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
  vk.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, item.dispatch.pipeline);
  if (item.dispatch.is_pushed) {
    vk.CmdPushConstants(commands, device_->layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0, static_cast<uint32_t>(item.dispatch.parameters.size()),
                        item.dispatch.parameters.data());
  } else {
    const uint64_t address = parameters_->address() + item.parameters_at;
    vk.CmdPushConstants(commands, device_->layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(address), &address);
  }
  vk.CmdDispatch(commands, item.dispatch.groups_x, item.dispatch.groups_y, item.dispatch.groups_z);
}

Step& Recording::add_step(Step::Kind kind) {
  Step step;
  step.kind = kind;
  step.retired = steps_.empty() ? 0 : steps_.back().retired;
  return steps_.emplace_back(step);
}

// Slices, and the dispatches of each.
void Recording::cut_steps() {
  std::vector<Item> dispatches;
  uint64_t estimate_ns = 0;
  bool is_open = false;
  for (Item& item : items_) {
    if (item.is_retirement) {
      if (steps_.empty()) add_step(Step::Kind::nothing);
      steps_.back().retired = item.command + 1;
      continue;
    }
    if (item.is_host_copy) {
      add_step(Step::Kind::host_copy).copy = item.command;
      is_open = false;
      continue;
    }
    if (!is_open || estimate_ns + item.dispatch.estimate_ns > kSliceNs) {
      add_step(Step::Kind::submit).first = static_cast<uint32_t>(dispatches.size());
      is_open = true;
      estimate_ns = 0;
    }
    estimate_ns += item.dispatch.estimate_ns;
    dispatches.push_back(std::move(item));
    steps_.back().last = static_cast<uint32_t>(dispatches.size());
  }
  items_ = std::move(dispatches);
}

void Recording::finish() {
  cut_steps();
  place_parameters();
  for (Item& item : items_) {
    item.dispatch.slots = {};
    item.dispatch.idle_parameters = {};
    if (!item.dispatch.is_pushed) item.dispatch.parameters = {};
  }
}

void Recording::fill(Encoding& encoding) {
  const auto& vk = device_->vk();
  if (encoding.pool) {
    vk.DestroyCommandPool(device_->handle(), encoding.pool, nullptr);
    encoding.pool = VK_NULL_HANDLE;
  }
  VkCommandPoolCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  info.queueFamilyIndex = device_->queue_family();
  check(vk.CreateCommandPool(device_->handle(), &info, nullptr, &encoding.pool), "vkCreateCommandPool");
  for (size_t i = 0; i < push_slots_.size(); ++i)
    std::memcpy(items_[push_slots_[i].item].dispatch.parameters.data() + push_slots_[i].at, &encoding.addresses[i], sizeof(uint64_t));
  encoding.commands.clear();
  for (const Step& step : steps_) {
    if (step.kind != Step::Kind::submit) continue;
    const VkCommandBuffer commands = begin(encoding.pool);
    for (uint32_t i = step.first; i < step.last; ++i) record(commands, items_[i], i == step.first);
    check(vk.EndCommandBuffer(commands), "vkEndCommandBuffer");
    encoding.commands.push_back(commands);
    ++command_buffers_filled_;
  }
}

Recording::Encoding& Recording::encoding_for(const std::vector<uint64_t>& addresses) {
  const auto found = std::ranges::find(encodings_, addresses, &Encoding::addresses);
  if (found != encodings_.end()) {
    encodings_.splice(encodings_.begin(), encodings_, found);
    return encodings_.front();
  }
  const size_t most = std::clamp<size_t>(kEncodingBytesMax / encoding_bytes(), kEncodingsMin, kEncodingsMax);
  if (encodings_.size() < most)
    encodings_.emplace_front();
  else
    encodings_.splice(encodings_.begin(), encodings_, std::prev(encodings_.end()));
  encodings_.front().addresses = addresses;
  fill(encodings_.front());
  return encodings_.front();
}

// A command buffer's own memory is the driver's; what it holds is about as large as the parameters.
uint64_t Recording::encoding_bytes() const {
  constexpr uint64_t kDispatchBytes = 512, kCommandBufferBytes = 4096;
  return sizeof(Encoding) + push_slots_.size() * sizeof(uint64_t) + items_.size() * kDispatchBytes + steps_.size() * kCommandBufferBytes;
}

uint64_t Recording::size_bytes() const {
  return 2 * (parameters_ ? parameters_->bytes().size() : 0) + slots_.size() * sizeof(AddressSlot) +
         std::max<size_t>(encodings_.size(), 1) * encoding_bytes();
}

void Recording::fill_steps() {
  auto commands = encoding_for(push_addresses_).commands.begin();
  for (Step& step : steps_)
    if (step.kind == Step::Kind::submit) step.commands = *commands++;
}

}  // namespace kawara::emulator::vulkan
