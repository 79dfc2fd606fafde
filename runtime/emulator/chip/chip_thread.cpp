// SPDX-License-Identifier: Apache-2.0
// The thread that serves the queues: picks one, fetches the packet at its HEAD, does it, and says how it ended.
#include <array>
#include <cstddef>
#include <cstring>

#include <fmt/core.h>

#include "emulator/chip/chip_state.h"

namespace kawara::emulator {
namespace {

// A clear looks this often whether it should stop.
constexpr uint64_t kClearBytes = 64 << 20;

}  // namespace

void Chip::State::serve_queues() {
  Lock lock(mutex_);
  while (!ending_) {
    if (const auto queue = next_queue()) {
      serve(*queue, lock);
    } else {
      changed_.wait(lock);
    }
  }
}

std::optional<unsigned> Chip::State::next_queue() {
  if (KAWARA_GET(registers_.get(KAWARA_REGISTER(GLOBAL, 0, CONTROL)), GLOBAL_CONTROL_RUN) == 0) return std::nullopt;
  Arbiter::QueueMask runnable = 0;
  for (unsigned number = 0; number < KAWARA_QUEUE_COUNT; ++number)
    if (queues_[number].state() == KAWARA_QUEUE_READY) runnable |= 1u << number;
  return arbiter_.pick(runnable & ~waits_for_engines_);
}

void Chip::State::serve(unsigned queue, Lock& lock) {
  serving_ = queue;
  stop_ = ending_;
  queues_[queue].start();
  const bool resumes = queues_[queue].suspended();
  const uint64_t address = queues_[queue].packet_address();
  lock.unlock();
  const PacketEnd end = resumes ? resume(queue) : serve_packet(queue, address);
  lock.lock();
  const uint32_t vector = queues_[queue].vector();
  arbiter_.charge(queue, end.cycles, queues_[queue].weight());
  serving_.reset();
  if (resetting_) return reset_device();
  finish(queue, end);
  // Vectors from 8 on are not a queue's to send.
  if (!end.interrupt || vector >= KAWARA_VECTOR_MANAGEMENT) return;
  lock.unlock();
  interrupt_(vector);
  lock.lock();
}

void Chip::State::finish(unsigned queue, const PacketEnd& end) {
  Queue& ended = queues_[queue];
  const bool goes_on = end.kind == PacketEnd::Kind::suspended || end.kind == PacketEnd::Kind::waits;
  if (!goes_on || ended.state() == KAWARA_QUEUE_RESETTING) end_job(queue);
  switch (end.kind) {
    case PacketEnd::Kind::retired: return act(queue, ended.retire());
    case PacketEnd::Kind::suspended: return ended.suspend();
    case PacketEnd::Kind::waits:
      // The hung queue may have been reset since: then there is nothing to wait for.
      if (hung_) waits_for_engines_ |= 1u << queue;
      return ended.wait();
    case PacketEnd::Kind::faulted: return act(queue, ended.fault(end.fault));
    case PacketEnd::Kind::stopped: return ended.stop();
    case PacketEnd::Kind::hung:
      if (ended.state() == KAWARA_QUEUE_RESETTING) return ended.stop();
      hung_ = queue;  // RUNNING, until it is reset
  }
}

Chip::State::PacketEnd Chip::State::faulted(const ChipFault& fault) { return {.kind = PacketEnd::Kind::faulted, .fault = fault}; }

Chip::State::PacketEnd Chip::State::serve_packet(unsigned queue, uint64_t address) {
  kawara_packet packet;
  if (!host_.read(address, std::as_writable_bytes(std::span(&packet, 1))))
    return faulted({.code = KAWARA_FAULT_host_bus_error, .address = address});
  const kawara_packet_fault broken = kawara_packet_check(&packet, local.bytes().size());
  if (broken.code == KAWARA_FAULT_bad_packet) return faulted({.code = broken.code, .address = address, .field = broken.word * 4});
  if (broken.code != KAWARA_FAULT_none) return faulted({.code = broken.code});
  switch (kawara_packet_opcode_of(&packet)) {
    case KAWARA_PACKET_RUN: return run(queue, kawara_unpack_run(&packet));
    case KAWARA_PACKET_SIGNAL: return signal(queue, kawara_unpack_signal(&packet));
    case KAWARA_PACKET_CLEAR: return clear(queue, kawara_unpack_clear(&packet));
    default: return {};  // a nop
  }
}

Chip::State::PacketEnd Chip::State::run(unsigned queue, const kawara_run_packet& packet) {
  QueueJob& job = *jobs_[queue];
  uint32_t features;
  {
    const Lock lock(mutex_);
    features = registers_.get(KAWARA_REGISTER(GLOBAL, 0, FEATURES));
    if (hung_) return {.kind = PacketEnd::Kind::waits};
    const uint64_t root = registers_.get64(KAWARA_REGISTER(CONTEXT, packet.context, ROOT_LO));
    if ((root & KAWARA_CONTEXT_ROOT_LO_VALID) == 0) return faulted({.code = KAWARA_FAULT_context_invalid});
    job.packet = packet;
    job.context = {.number = packet.context, .root = root & ~uint64_t{0xfff}, .identity = identities_[packet.context]};
    under_way_ |= 1u << queue;
    queues_[queue].enter(packet.context);
  }
  return left(queue, processor_.start(job, features));
}

Chip::State::PacketEnd Chip::State::resume(unsigned queue) {
  {
    const Lock lock(mutex_);
    if (hung_) return {.kind = PacketEnd::Kind::waits};
  }
  return left(queue, processor_.resume(*jobs_[queue]));
}

Chip::State::PacketEnd Chip::State::left(unsigned queue, const JobEnd& end) {
  switch (end.kind) {
    case JobEnd::Kind::retired: {
      const Lock lock(mutex_);
      const QueueJob& job = *jobs_[queue];
      retired_[queue] = {job.packet.tag, job.cost->total};
      count(job.cost->total);
      return {.cycles = job.segment_cycles};
    }
    case JobEnd::Kind::suspended: return {.kind = PacketEnd::Kind::suspended, .cycles = jobs_[queue]->segment_cycles};
    case JobEnd::Kind::faulted: return faulted(end.fault);
    case JobEnd::Kind::stopped: return {.kind = PacketEnd::Kind::stopped};
    case JobEnd::Kind::hung: return {.kind = PacketEnd::Kind::hung};
    case JobEnd::Kind::broken: {
      // Not the job's fault: the chip reports an error inside itself. The job ended without its result, so its queue stops
      // as after a hang, at once instead of after the driver's timeout.
      fmt::print(stderr, "kawara: the emulated chip's executor failed: {}\n", end.message);
      const Lock lock(mutex_);
      management_.raise(KAWARA_GLOBAL_INTERRUPT_STATUS_INTERNAL);
      return faulted(end.fault);
    }
  }
  return {};
}

// The work clock and its counters move when a job retires.
void Chip::State::count(const kawara_job_cost& cost) {
  const auto add = [this](uint32_t low, uint64_t cycles) { registers_.set64(low, registers_.get64(low) + cycles); };
  add(KAWARA_REGISTER(GLOBAL, 0, CYCLES_LO), cost.cycles);
  constexpr uint32_t busy[] = {KAWARA_REGISTER(PMU, 0, BUSY_CP_LO), KAWARA_REGISTER(PMU, 0, BUSY_ME_LO),
                               KAWARA_REGISTER(PMU, 0, BUSY_VE_LO), KAWARA_REGISTER(PMU, 0, BUSY_DMA_IN_LO),
                               KAWARA_REGISTER(PMU, 0, BUSY_DMA_OUT_LO)};
  static_assert(std::size(busy) == KAWARA_ENGINE_COUNT);
  for (size_t engine = 0; engine < std::size(busy); ++engine) add(busy[engine], cost.busy[engine]);
}

Chip::State::PacketEnd Chip::State::signal(unsigned queue, const kawara_signal_packet& packet) {
  kawara_signal record{};
  record.value = packet.value;
  {
    const Lock lock(mutex_);
    if (queues_[queue].state() == KAWARA_QUEUE_RESETTING) return {.kind = PacketEnd::Kind::stopped};
    const auto& [tag, cost] = retired_[queue];
    record.tag = tag;
    record.cycles = cost.cycles;
    record.busy_me = cost.busy[KAWARA_ENGINE_ME];
    record.busy_ve = cost.busy[KAWARA_ENGINE_VE];
    record.busy_dma = cost.busy[KAWARA_ENGINE_DMA_IN] + cost.busy[KAWARA_ENGINE_DMA_OUT];
    record.bytes_local = cost.bytes[KAWARA_MEMORY_LOCAL];
    record.bytes_host = cost.bytes[KAWARA_MEMORY_HOST];
    queues_[queue].signaled();
  }
  // Whole words: the host may read an earlier value's record while this one is written. The value comes last.
  static_assert(offsetof(kawara_signal, value) == 0);
  std::array<uint64_t, sizeof(kawara_signal) / sizeof(uint64_t)> words;
  std::memcpy(words.data(), &record, sizeof(record));
  bool there = true;
  for (size_t word = words.size(); word-- > 0;) there = there && host_.store(packet.address + word * sizeof(uint64_t), words[word]);
  if (!there) return faulted({.code = KAWARA_FAULT_host_bus_error, .write = true, .address = packet.address});
  return {.interrupt = packet.interrupt != 0};
}

Chip::State::PacketEnd Chip::State::clear(unsigned queue, const kawara_clear_packet& packet) {
  for (uint64_t done = 0; done < packet.size; done += kClearBytes) {
    if (stop_) return {.kind = PacketEnd::Kind::stopped};
    local.clear(packet.address + done, std::min(kClearBytes, packet.size - done));
    const Lock lock(mutex_);
    queues_[queue].work();
  }
  return {.cycles = packet.size * config_.clock_mhz / (uint64_t{1000} * config_.local_gb_s)};
}

JobControl Chip::State::control() {
  return {
      .stopped = [this] { return stop_.load(std::memory_order_relaxed); },
      .retired =
          [this](unsigned queue, uint32_t command_offset) {
            const Lock lock(mutex_);
            queues_[queue].retired(command_offset);
          },
      .work =
          [this](unsigned queue) {
            const Lock lock(mutex_);
            queues_[queue].work();
          },
      .hang_at = [this](unsigned queue, uint32_t command_count) { return fire_hang(queue, command_count); },
  };
}

// An armed hang waits for a job that has such a command.
std::optional<uint32_t> Chip::State::fire_hang(unsigned queue, uint32_t command_count) {
  const Lock lock(mutex_);
  constexpr uint32_t address = KAWARA_REGISTER(TEST, 0, HANG);
  const uint32_t hang = registers_.get(address);
  const uint32_t command = KAWARA_GET(hang, TEST_HANG_COMMAND);
  if (KAWARA_GET(hang, TEST_HANG_ARM) == 0 || KAWARA_GET(hang, TEST_HANG_QUEUE) != queue || command >= command_count) return std::nullopt;
  registers_.set(address, hang & ~KAWARA_TEST_HANG_ARM);
  return command;
}

}  // namespace kawara::emulator
