// SPDX-License-Identifier: Apache-2.0
// What register accesses do.
#include "emulator/chip/chip_state.h"

namespace kawara::emulator {
namespace {

constexpr uint32_t kCommandBytesLog2 = 24;
static_assert(1u << kCommandBytesLog2 == KAWARA_COMMAND_BYTES_MAX);

}  // namespace

Chip::State::State(const kawara_config& config, HostMemory& host, const ExecutorFactory& executor, Interrupt interrupt)
    : local(config.local_mib),
      sram(config.sram_kib),
      config_(config),
      host_(host),
      interrupt_(std::move(interrupt)),
      processor_(config_, host, local, sram, executor(local.bytes(), sram.bytes()), control()),
      management_(registers_, [this] { interrupt_(KAWARA_VECTOR_MANAGEMENT); }) {
  for (unsigned number = 0; number < KAWARA_QUEUE_COUNT; ++number) {
    queues_.emplace_back(registers_, number);
    jobs_.push_back(std::make_unique<QueueJob>(number, host));
  }
  reset_device();
  thread_ = std::thread([this] { serve_queues(); });
}

Chip::State::~State() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

uint64_t Chip::State::timestamp() const {
  using std::chrono::nanoseconds;
  return static_cast<uint64_t>(std::chrono::duration_cast<nanoseconds>(std::chrono::steady_clock::now() - born_).count());
}

uint32_t Chip::State::status() const {
  if (resetting_) return 0;
  bool idle = true;
  for (const Queue& queue : queues_) idle = idle && !queue.has_work();
  return KAWARA_GLOBAL_STATUS_READY | (idle ? KAWARA_GLOBAL_STATUS_IDLE : 0);
}

uint32_t Chip::State::read(uint32_t address) {
  if (RegisterFile::at(address).row == nullptr) return 0;
  const std::lock_guard lock(mutex_);
  ++counters_.register_reads;
  switch (address) {
    case KAWARA_REGISTER(GLOBAL, 0, STATUS): return status();
    case KAWARA_REGISTER(GLOBAL, 0, TIMESTAMP_LO): registers_.set64(address, timestamp()); return registers_.read(address);
    default: return registers_.read(address);
  }
}

void Chip::State::write(uint32_t address, uint32_t value) {
  const auto [row, instance] = RegisterFile::at(address);
  if (row == nullptr) return;
  const std::lock_guard lock(mutex_);
  ++counters_.register_writes;
  if (row->block == Block::QUEUE && row->offset == KAWARA_QUEUE_TAIL) ++counters_.doorbells;
  if (resetting_) return;
  switch (row->block) {
    case Block::GLOBAL: return write_global(row->offset, value);
    case Block::CONTEXT: return write_context(instance, row->offset, value);
    case Block::TEST:
    case Block::PMU: return registers_.write(address, value);
    case Block::QUEUE: return act(instance, queues_[instance].write(row->offset, value));
  }
}

void Chip::State::write_global(uint32_t offset, uint32_t value) {
  switch (offset) {
    case KAWARA_GLOBAL_RESET:
      if (value == KAWARA_RESET_KEY) request_device_reset();
      return;
    case KAWARA_GLOBAL_INTERRUPT_STATUS: return management_.write_status(value);
    case KAWARA_GLOBAL_INTERRUPT_MASK: return management_.write_mask(value);
    default:
      registers_.write(KAWARA_GLOBAL_BASE + offset, value);
      if (offset == KAWARA_GLOBAL_CONTROL) changed_.notify_all();
  }
}

void Chip::State::write_context(uint32_t number, uint32_t offset, uint32_t value) {
  registers_.write(KAWARA_CONTEXT_BASE + KAWARA_CONTEXT_STRIDE * number + offset, value);
  if (offset != KAWARA_CONTEXT_INVALIDATE) {
    identities_[number] = ++next_identity_;
    return;
  }
  // Translations live as long as their job: those that are under way are waited for, those that start later see the new ones.
  Arbiter::QueueMask& waits = invalidation_waits_[number];
  for (unsigned queue = 0; queue < KAWARA_QUEUE_COUNT; ++queue)
    if ((under_way_ >> queue & 1) != 0 && jobs_[queue]->context.number == number) waits |= 1u << queue;
  if (waits == 0) registers_.set(KAWARA_REGISTER(CONTEXT, number, INVALIDATE), 0);
}

// The job of the queue is over, however it went. Nothing of it is being served.
void Chip::State::end_job(unsigned queue) {
  if ((under_way_ >> queue & 1) == 0) return;
  under_way_ &= ~(1u << queue);
  QueueJob& job = *jobs_[queue];
  job.end();
  Arbiter::QueueMask& waits = invalidation_waits_[job.context.number];
  waits &= ~(1u << queue);
  if (waits == 0) registers_.set(KAWARA_REGISTER(CONTEXT, job.context.number, INVALIDATE), 0);
}

ChipCounters Chip::State::counters() {
  const std::lock_guard lock(mutex_);
  counters_.commands_checked = processor_.commands_checked();
  return counters_;
}

// Does what a change of a queue asks for.
void Chip::State::act(unsigned queue, Queue::Effect effect) {
  switch (effect) {
    case Queue::Effect::none: return;
    case Queue::Effect::work: changed_.notify_all(); return;
    case Queue::Effect::stop: return stop_queue(queue);
    case Queue::Effect::faulted: return management_.raise(KAWARA_PUT(GLOBAL_INTERRUPT_STATUS_QUEUE_FAULT, 1u << queue));
  }
}

void Chip::State::stop_queue(unsigned queue) {
  waits_for_engines_ &= ~(1u << queue);
  if (serving_ == queue) {
    stop_ = true;  // the thread ends the reset
    return;
  }
  if (hung_ == queue) {
    hung_.reset();
    waits_for_engines_ = 0;
  }
  end_job(queue);
  queues_[queue].stop();
  changed_.notify_all();
}

void Chip::State::request_device_reset() {
  if (!serving_) return reset_device();
  resetting_ = true;
  stop_ = true;
}

// Nothing is being served: everything but local memory and the clock is as after power-on.
void Chip::State::reset_device() {
  for (unsigned queue = 0; queue < KAWARA_QUEUE_COUNT; ++queue) {
    end_job(queue);
    queues_[queue].forget();
  }
  invalidation_waits_.fill(0);
  registers_.reset();
  set_identity();
  management_.reset();
  arbiter_ = Arbiter();
  retired_.fill({});
  for (uint64_t& identity : identities_) identity = ++next_identity_;
  hung_.reset();
  waits_for_engines_ = 0;
  resetting_ = false;
}

void Chip::State::set_identity() {
  const auto set = [this](uint32_t offset, uint32_t value) { registers_.set(KAWARA_GLOBAL_BASE + offset, value); };
  set(KAWARA_GLOBAL_FEATURES, KAWARA_GLOBAL_FEATURES_TEST | config_.features);
  set(KAWARA_GLOBAL_COUNTS, KAWARA_PUT(GLOBAL_COUNTS_QUEUES, KAWARA_QUEUE_COUNT) |
                                KAWARA_PUT(GLOBAL_COUNTS_CONTEXTS, KAWARA_CONTEXT_COUNT) |
                                KAWARA_PUT(GLOBAL_COUNTS_VECTORS, KAWARA_VECTORS));
  set(KAWARA_GLOBAL_LOCAL_MIB, config_.local_mib);
  set(KAWARA_GLOBAL_SRAM_KIB, config_.sram_kib);
  set(KAWARA_GLOBAL_LIMITS, KAWARA_PUT(GLOBAL_LIMITS_SEGMENT_CYCLES_LOG2, KAWARA_SEGMENT_CYCLES_LOG2) |
                                KAWARA_PUT(GLOBAL_LIMITS_COMMAND_BYTES_LOG2, kCommandBytesLog2) |
                                KAWARA_PUT(GLOBAL_LIMITS_RING_LOG2_MAX, KAWARA_RING_LOG2_MAX));
  registers_.set(KAWARA_REGISTER(PMU, 0, CLOCK_MHZ), config_.clock_mhz);
}

}  // namespace kawara::emulator
