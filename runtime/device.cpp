// SPDX-License-Identifier: Apache-2.0
#include "kawara/device.h"

#include "device_name.h"
#include "device_state.h"
#include "kawara/error.h"
#include "kawara/log.h"

namespace kawara {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kLargePage = uint64_t{2} << 20;
constexpr std::chrono::milliseconds kTimeout{60'000};

}  // namespace

NodeQueue::NodeQueue(Node& node, VmId vm) : node_(node), id_(node.queue_create(vm, Priority::normal, kTimeout)) {}

NodeQueue::~NodeQueue() {
  try {
    node_.queue_destroy(id_);
  } catch (const Error&) {  // of a forked child, or of a device that is gone: nothing is left to do
  }
}

Device::State::State(std::string_view device_name) : addresses_(0, 0) {
  OpenedNode opened = open_node(device_name);
  node = std::move(opened.node);
  name = std::move(opened.name);
  info = node->info();
  vm = node->vm_create();
  timeline = node->timeline_create();
  addresses_ = RangeAllocator(KAWARA_VA_GUARD, info.va_end);
  queue = std::make_shared<NodeQueue>(*node, vm);
}

Device::State::~State() = default;

Device::State::Bound Device::State::bind_new(uint64_t size_bytes, Memory memory) {
  Bound bound;
  bound.bo = node->bo_create(vm, memory, size_bytes);
  std::optional<uint64_t> address;
  try {
    bound.mapping = node->bo_map(bound.bo);
    {
      const std::lock_guard lock(mutex_);
      address = addresses_.take(size_bytes, size_bytes >= kLargePage ? kLargePage : kPage);
    }
    if (!address) throw fail(Code::out_of_memory, "no addresses are left for {} bytes", size_bytes);
    bound.address = DeviceAddress{*address};
    const BindOp map{.bo = bound.bo, .address = bound.address, .size_bytes = size_bytes};
    node->bind(vm, {&map, 1});
  } catch (...) {
    if (address) {
      const std::lock_guard lock(mutex_);
      addresses_.give_back(*address, size_bytes);
    }
    bound.mapping = {};
    node->bo_close(bound.bo);
    throw;
  }
  return bound;
}

void Device::State::release(Bound& bound) {
  if (jobs_left) return;
  const uint64_t size_bytes = bound.mapping.bytes().size();
  try {
    const BindOp unmap{.kind = BindOp::Kind::unmap, .address = bound.address, .size_bytes = size_bytes};
    node->bind(vm, {&unmap, 1});
    bound.mapping = {};
    node->bo_close(bound.bo);
    const std::lock_guard lock(mutex_);
    addresses_.give_back(static_cast<uint64_t>(bound.address), size_bytes);
  } catch (const Error&) {  // of a forked child, or of a device that is gone: nothing is left to do
  }
}

void Device::State::check_process() const {
  if (forked()) throw fail(Code::forked, "device '{}' was opened by process {}", name, process);
}

// Jobs end in order: if the fence that came back first still waits for its job, so do the others.
Fence::State& Device::State::take_fence() {
  std::unique_lock lock(mutex_);
  while (idle_.empty() || !idle_.front()->over()) {
    lock.unlock();
    add_fences();
    lock.lock();
  }
  Fence::State& fence = *idle_.pop();
  lock.unlock();
  *fence.slot.record = {};
  fence.point = 0;
  fence.told.clear();
  return fence;
}

void Device::State::add_fences() {
  Bound page = bind_new(kPage, Memory::system);
  constexpr size_t count = kPage / sizeof(kawara_record);
  auto fences = std::make_unique<Fence::State[]>(count);
  const std::lock_guard lock(mutex_);
  IntrusiveQueue<Fence::State> waiting = std::exchange(idle_, {});
  for (size_t i = 0; i < count; ++i) {
    const uint64_t offset = i * sizeof(kawara_record);
    fences[i].slot = {reinterpret_cast<kawara_record*>(page.mapping.bytes().data() + offset),
                      DeviceAddress{static_cast<uint64_t>(page.address) + offset}};
    idle_.push(fences[i]);
  }
  while (Fence::State* fence = waiting.pop()) idle_.push(*fence);
  record_pages_.push_back(std::move(page));
  fences_.push_back(std::move(fences));
}

void Device::State::give_back(Fence::State& fence) {
  const std::lock_guard lock(mutex_);
  idle_.push(fence);
}

Device::Device(std::shared_ptr<State> state) : state_(std::move(state)) {}

Device Device::open(std::string_view name) {
  Device device(std::make_shared<State>(name));
  log(LogLevel::info, "opened '{}'", device.name());
  return device;
}
std::vector<DeviceDescription> Device::list() { return list_devices(); }

const std::string& Device::name() const { return state_->name; }
const std::string& Device::kind() const { return state_->info.kind; }
const std::string& Device::config() const { return state_->info.config; }
const std::string& Device::executor() const { return state_->info.executor; }
const std::string& Device::computes_on() const { return state_->info.computes_on; }
uint32_t Device::isa_version() const { return state_->info.isa_version; }
uint64_t Device::local_bytes() const { return state_->info.local_bytes; }
uint64_t Device::local_free_bytes() const {
  state_->check_process();
  return state_->node->info().local_free_bytes;
}
uint64_t Device::sram_bytes() const { return state_->info.sram_bytes; }

Buffer Device::allocate(uint64_t size_bytes, Memory memory) const {
  state_->check_process();
  if (size_bytes == 0 || size_bytes > state_->info.va_end) {
    throw fail(Code::invalid_argument, "a buffer of {} bytes: at least 1, at most {}", size_bytes, state_->info.va_end);
  }
  const uint64_t rounded = (size_bytes + kPage - 1) / kPage * kPage;
  return Buffer(std::make_shared<Buffer::State>(state_, rounded, memory));
}

bool Device::owns(const Buffer& buffer) const { return buffer && buffer.state_->device == state_; }

Fence Device::submit(const DeviceJob& job) const {
  state_->check_process();
  const auto holds = [](const Buffer* buffer, uint64_t size_bytes) { return buffer && *buffer && size_bytes <= buffer->size_bytes(); };
  if (!holds(job.commands, job.command_bytes)) {
    throw fail(Code::invalid_argument, "{} bytes of commands do not fit their buffer", job.command_bytes);
  }
  const uint64_t table_bytes = job.region_count * uint64_t{sizeof(kawara_region)};
  if (job.region_count && !holds(job.regions, table_bytes)) {
    throw fail(Code::invalid_argument, "{} regions do not fit their buffer", job.region_count);
  }
  for (const Buffer* buffer : {job.commands, job.regions}) {
    if (buffer && *buffer && !owns(*buffer)) throw fail(Code::invalid_argument, "the buffer is another device's");
  }
  Fence::State& state = state_->take_fence();
  state.device = state_;
  const Fence fence(state);  // gives it back when the node refuses the job
  state.commands = job.commands->state_;
  if (job.regions) state.regions = job.regions->state_;
  state.command_bytes = job.command_bytes;
  state.tag = job.tag;

  const std::lock_guard lock(state_->submission);
  state.queue = state_->queue;
  const Point signal{state_->timeline, state_->last_point + 1};
  const NodeJob node_job{.commands = job.commands->address(),
                         .command_bytes = job.command_bytes,
                         .regions = job.region_count ? job.regions->address() : DeviceAddress{},
                         .region_count = job.region_count,
                         .record = state.slot.address,
                         .tag = signal.value};
  state_->node->submit(state.queue->id(), {&node_job, 1}, {}, {&signal, 1});
  state.point = ++state_->last_point;
  return fence;
}

void Device::renew_queue() const {
  state_->check_process();
  const std::lock_guard lock(state_->submission);
  if (state_->node->queue_state(state_->queue->id()).kind == QueueState::Kind::ready) return;
  state_->queue = std::make_shared<NodeQueue>(*state_->node, state_->vm);
}

void Device::leave_jobs() const { state_->jobs_left = true; }

}  // namespace kawara
