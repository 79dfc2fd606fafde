// SPDX-License-Identifier: Apache-2.0
// What clients ask for. Recovery, in the worker's time, is in driver_recovery.cpp.
#include "emulator/driver/driver.h"

#include <algorithm>
#include <iterator>

#include "kawara/error.h"

namespace kawara::emulator {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kDriverRing = 0;
constexpr auto kInvalidateLimit = 1s;

// Rings of a class of clients: [first, last].
struct RingClass {
  unsigned first, last;
};
RingClass rings_of(Priority priority) {
  switch (priority) {
    case Priority::low: return {1, 1};
    case Priority::normal: return {2, 5};
    case Priority::high: return {6, 7};
  }
  throw fail(Code::invalid_argument, "a priority is low, normal or high, not {}", static_cast<int>(priority));
}

// Share of the chip: field QUEUE.CONTROL.PRIORITY.
unsigned weight_of(unsigned ring) {
  constexpr unsigned weights[KAWARA_QUEUE_COUNT] = {3, 0, 1, 1, 1, 1, 2, 2};
  return weights[ring];
}

}  // namespace

Driver::Driver(const kawara_config& config, ExecutorFactory executor) : config_(config), bus_(std::make_shared<Bus>()) {
  chip_ = std::make_unique<Chip>(config_, bus_->memory, std::move(executor), [this](unsigned vector) { interrupt_unlocked(vector); });
  local_ = std::make_shared<LocalPool>(chip_->local());
  for (unsigned i = 0; i < KAWARA_QUEUE_COUNT; ++i) {
    rings_.push_back(std::make_unique<Ring>(*chip_, bus_, i, weight_of(i)));
  }
  watches_.resize(rings_.size());
  {
    const Lock lock(mutex_);
    start_chip();
  }
  worker_ = std::thread([this] { work(); });
}

Driver::~Driver() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  worker_.join();
  // The chip ends before the memory that it may still be writing to.
  chip_.reset();
}

void Driver::start_chip() {
  chip_->write(KAWARA_REGISTER(GLOBAL, 0, CONTROL), KAWARA_PUT(GLOBAL_CONTROL_RUN, 1));
  chip_->write(KAWARA_REGISTER(GLOBAL, 0, INTERRUPT_STATUS), ~0u);
  chip_->write(KAWARA_REGISTER(GLOBAL, 0, INTERRUPT_MASK), 0);
  for (const auto& ring : rings_) ring->start();
}

void Driver::fill(NodeInfo& info) {
  info.config = config_.name;
  info.hardware_version = chip_->read(KAWARA_REGISTER(GLOBAL, 0, HW_VERSION));
  info.isa_version = chip_->read(KAWARA_REGISTER(GLOBAL, 0, ISA_VERSION));
  info.features = chip_->read(KAWARA_REGISTER(GLOBAL, 0, FEATURES));
  info.local_bytes = local_->window().size();
  info.local_free_bytes = local_->free_bytes();
  info.sram_bytes = uint64_t{chip_->read(KAWARA_REGISTER(GLOBAL, 0, SRAM_KIB))} << 10;
  info.va_end = uint64_t{1} << KAWARA_VA_BITS;
}

void Driver::check_alive() const {
  if (gone_) throw fail(Code::device_lost, "the chip does not answer any more");
}

std::shared_ptr<BufferObject> Driver::bo_create(Memory memory, uint64_t size_bytes) {
  if (memory == Memory::system) return std::make_shared<BufferObject>(bus_, size_bytes);
  auto bo = std::make_shared<BufferObject>(local_, size_bytes);
  clear_unlocked(*bo);
  return bo;
}

void Driver::clear_unlocked(const BufferObject& bo) {
  Submission submission;
  Lock lock(mutex_);
  changed_.wait(lock, [&] { return gone_ || rings_[kDriverRing]->room(); });
  check_alive();
  const kawara_clear_packet clear{.address = bo.address(), .size = bo.size_bytes()};
  kawara_packet packet;
  if (kawara_pack_clear(&packet, &clear, local_->window().size()).code != KAWARA_FAULT_none) {
    throw fail(Code::internal, "local memory at {:#x}, {:#x} bytes, cannot be cleared", clear.address, clear.size);
  }
  rings_[kDriverRing]->push(packet, nullptr, submission);
  watch();
  changed_.wait(lock, [&] { return submission.over(); });
  if (submission.cancelled) throw fail(Code::device_lost, "the device was reset while it cleared memory");
}

std::shared_ptr<Vm> Driver::vm_create() {
  Lock lock(mutex_);
  // A context whose address space is closed comes back when the worker has buried it.
  changed_.wait(lock, [&] { return gone_ || !contexts_.all() || std::ranges::none_of(vms_, [](const auto& vm) { return vm->closed; }); });
  check_alive();
  if (contexts_.all()) throw fail(Code::out_of_memory, "the chip's {} contexts are in use", contexts_.size());
  uint32_t context = 0;
  while (contexts_[context]) ++context;
  auto vm = std::make_shared<Vm>(bus_, context);
  contexts_[context] = true;
  chip_->write(KAWARA_REGISTER(CONTEXT, context, ROOT_HI), static_cast<uint32_t>(vm->pages.root() >> 32));
  chip_->write(KAWARA_REGISTER(CONTEXT, context, ROOT_LO), static_cast<uint32_t>(vm->pages.root()) | KAWARA_CONTEXT_ROOT_LO_VALID);
  vms_.push_back(vm);
  return vm;
}

bool Driver::vm_close(const std::shared_ptr<Vm>& vm) {
  const Lock lock(mutex_);
  if (vm->queues > 0) return false;
  vm->closed = true;
  wake_.notify_all();
  return true;
}

bool Driver::invalidate_unlocked(uint32_t context) {
  const uint32_t reg = KAWARA_REGISTER(CONTEXT, context, INVALIDATE);
  chip_->write(reg, 1);
  const auto limit = std::chrono::steady_clock::now() + kInvalidateLimit;
  while (chip_->read(reg) & KAWARA_CONTEXT_INVALIDATE_PENDING) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(20us);
  }
  return true;
}

void Driver::bind(const std::shared_ptr<Vm>& vm, std::span<const BindOp> operations,
                  std::span<const std::shared_ptr<BufferObject>> buffers) {
  const bool unbinds = std::ranges::any_of(operations, [](const BindOp& op) { return op.kind == BindOp::Kind::unmap; });
  std::vector<std::shared_ptr<BufferObject>> released;  // freed after the lock, and after the chip has let go
  Lock lock(mutex_);
  check_alive();
  if (unbinds) {
    // Jobs submitted so far may use what goes; then nothing of this space may be in a ring while the tables change.
    const uint64_t ticket = next_ticket_;
    changed_.wait(lock, [&] { return vm->unfinished.empty() || vm->unfinished.front() >= ticket; });
    ++vm->holds;
    changed_.wait(lock, [&] { return vm->in_rings == 0; });
  }
  const auto let_go = [&] {
    if (!unbinds) return;
    --vm->holds;
    advance();
    changed_.notify_all();
  };
  try {
    if (vm->lost && !unbinds) throw fail(Code::device_lost, "the device was reset, and the address space lost");
    vm->apply(operations, buffers, released);
  } catch (...) {
    let_go();
    throw;
  }
  if (unbinds && !vm->lost) {
    lock.unlock();
    const bool invalid = invalidate_unlocked(vm->context);
    lock.lock();
    if (!invalid) {
      reset_wanted_ = true;
      wake_.notify_all();
      changed_.wait(lock, [&] { return vm->lost || gone_; });
    }
  }
  let_go();
}

std::shared_ptr<UserQueue> Driver::queue_create(const std::shared_ptr<Vm>& vm, Priority priority, std::chrono::milliseconds timeout) {
  const auto [first, last] = rings_of(priority);
  const Lock lock(mutex_);
  check_alive();
  if (vm->lost) throw fail(Code::device_lost, "the device was reset, and the address space lost");
  if (vm->closed) throw fail(Code::not_found, "the address space is closed");
  const auto users = [&](unsigned ring) { return std::ranges::count(queues_, ring, [](const auto& queue) { return queue->ring; }); };
  auto queue = std::make_shared<UserQueue>();
  queue->ring = first;
  for (unsigned ring = first; ring <= last; ++ring) {
    if (users(ring) < users(queue->ring)) queue->ring = ring;
  }
  queue->vm = vm;
  queue->timeout = timeout;
  ++vm->queues;
  queues_.push_back(queue);
  return queue;
}

void Driver::queue_close(const std::shared_ptr<UserQueue>& queue) {
  const Lock lock(mutex_);
  queue->closed = true;
  --queue->vm->queues;
  std::erase(queues_, queue);
  cancel_pending(*queue);
  advance();
  changed_.notify_all();
}

QueueState Driver::queue_state(const UserQueue& queue) {
  const Lock lock(mutex_);
  return queue.state;
}

void Driver::submit(const std::shared_ptr<UserQueue>& queue, std::span<const NodeJob> jobs, std::span<const TimelinePoint> waits,
                    std::span<const TimelinePoint> signals) {
  const Lock lock(mutex_);
  check_alive();
  switch (queue->state.kind) {
    case QueueState::Kind::ready: break;
    case QueueState::Kind::faulted:
    case QueueState::Kind::timed_out: throw fail(Code::queue_dead, "a job of this queue failed; it takes no more");
    case QueueState::Kind::lost: throw fail(Code::device_lost, "the device was reset, and the queue lost");
  }
  if (queue->closed) throw fail(Code::not_found, "the queue is closed");
  for (const TimelinePoint& point : waits) {
    if (point.value > point.timeline->submitted()) {
      throw fail(Code::invalid_argument, "wait for point {}: only {} was submitted", point.value, point.timeline->submitted());
    }
  }
  for (size_t i = 0; i < signals.size(); ++i) {
    const TimelinePoint& point = signals[i];
    uint64_t last = point.timeline->submitted();
    for (size_t j = 0; j < i; ++j) {
      if (signals[j].timeline == point.timeline) last = signals[j].value;
    }
    if (point.value <= last) throw fail(Code::invalid_argument, "signal of point {}: {} was submitted before it", point.value, last);
  }
  if (idle_.empty()) idle_.push(*submissions_.emplace_back(std::make_unique<Submission>()));
  Submission& submission = *idle_.front();
  submission.renew(queue->vm->context, jobs, waits, signals);
  idle_.pop();
  for (const TimelinePoint& point : signals) point.timeline->submit(point.value);
  submission.ticket = next_ticket_++;
  queue->vm->unfinished.push_back(submission.ticket);
  queue->state.submitted += jobs.size();
  queue->pending.push(submission);
  advance();
}

void Driver::advance() {
  bool any = true;
  while (any) {
    any = false;
    for (size_t i = 0; i < queues_.size(); ++i) any |= emit(queues_[(turn_ + i) % queues_.size()]);
    ++turn_;
  }
}

bool Driver::emit(const std::shared_ptr<UserQueue>& queue) {
  if (queue->pending.empty() || queue->vm->holds > 0) return false;
  Ring& ring = *rings_[queue->ring];
  if (!ring.room()) return false;
  Submission& submission = *queue->pending.front();
  std::erase_if(submission.waits, [](const TimelinePoint& point) { return point.reached(); });
  if (!submission.waits.empty()) return false;

  std::optional<kawara_packet> packet;
  if (submission.emitted < submission.packets.size()) packet = submission.packets[submission.emitted];
  ++queue->vm->in_rings;
  if (++submission.emitted == submission.units()) queue->pending.pop();
  ring.push(packet, queue, submission);
  watch();
  return true;
}

void Driver::end_units(Submission& submission, Vm* vm, size_t units, bool well) {
  submission.ended += units;
  submission.cancelled |= !well;
  if (!submission.over()) return;
  for (const TimelinePoint& point : submission.signals) point.timeline->end(point.value);
  if (!vm) return;
  vm->unfinished.erase(std::ranges::lower_bound(vm->unfinished, submission.ticket));
  submission.waits.clear(), submission.signals.clear();
  idle_.push(submission);
}

void Driver::end(const RingJob& job, bool well) {
  if (job.queue) {
    --job.queue->vm->in_rings;
    if (well && job.packet) ++job.queue->state.completed;
    if (job.queue->vm->closed) wake_.notify_all();
  }
  end_units(*job.submission, job.queue ? job.queue->vm.get() : nullptr, 1, well);
}

void Driver::cancel_pending(UserQueue& queue) {
  while (Submission* const submission = queue.pending.pop()) {
    const size_t left = submission->units() - submission->emitted;
    submission->emitted += left;
    end_units(*submission, queue.vm.get(), left, false);
  }
}

void Driver::retire(Ring& ring) {
  while (const auto job = ring.retire()) end(*job, true);
}

void Driver::interrupt_unlocked(unsigned vector) {
  const Lock lock(mutex_);
  if (vector == KAWARA_VECTOR_MANAGEMENT) {
    faulted_ = true;
    wake_.notify_all();
    return;
  }
  if (vector >= rings_.size()) return;
  retire(*rings_[vector]);
  advance();
  changed_.notify_all();
}

std::optional<size_t> Driver::wait(std::span<const TimelinePoint> points, Deadline deadline, bool all) {
  std::optional<size_t> first;
  const auto reached = [&] {
    const auto point =
        all ? std::ranges::find_if_not(points, &TimelinePoint::reached) : std::ranges::find_if(points, &TimelinePoint::reached);
    const bool found = point != points.end();
    if (found == all) return false;
    first = all ? 0 : point - points.begin();
    return true;
  };
  Lock lock(mutex_);
  changed_.wait_until(lock, deadline, reached);
  return first;
}

void Driver::notify(const TimelinePoint& point, FileDescriptor eventfd) {
  const Lock lock(mutex_);
  point.timeline->notify(point.value, std::move(eventfd));
}

void Driver::inject_hang(const UserQueue& queue, uint32_t command) {
  chip_->write(KAWARA_REGISTER(TEST, 0, HANG),
               KAWARA_PUT(TEST_HANG_ARM, 1) | KAWARA_PUT(TEST_HANG_QUEUE, queue.ring) | KAWARA_PUT(TEST_HANG_COMMAND, command));
}

}  // namespace kawara::emulator
