// SPDX-License-Identifier: Apache-2.0
// Engine 0: takes a job's snapshot, checks it, has it run segment by segment, and writes its record.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "emulator/chip/chip_fault.h"
#include "emulator/chip/job_regions.h"
#include "emulator/chip/local_memory.h"
#include "emulator/chip/queue_job.h"
#include "emulator/chip/snapshot_cache.h"
#include "emulator/executor.h"

namespace kawara::emulator {

// How the job that runs and the rest of the chip talk.
struct JobControl {
  std::function<bool()> stopped;                                                           // the job is to end soon, unretired
  std::function<void(unsigned queue, uint32_t command_offset)> retired;                    // a command has retired
  std::function<void(unsigned queue)> work;                                                // a work quantum passed
  std::function<std::optional<uint32_t>(unsigned queue, uint32_t command_count)> hang_at;  // an injected hang fires at that command
};

// How a job left the engines.
struct JobEnd {
  enum class Kind {
    retired,    // its record is written
    suspended,  // a segment is over, and there are more
    faulted,    // `fault` says why
    stopped,    // control.stopped() said so
    hung,       // an injected hang: it will never end, and touches no memory any more
    broken,     // the executor threw: an error inside the chip
  } kind = Kind::retired;
  ChipFault fault{};
  std::string message{};  // broken: what the executor said
};

// Used by one thread at a time. Segments run one after another, whichever engines they need: the simplest order that the
// manual allows (a job of copies alone may run beside another, and does not yet).
class CommandProcessor {
 public:
  CommandProcessor(const kawara_config& config, HostMemory& host, LocalMemory& local, Sram& sram, Execute execute, JobControl control);

  // Takes the snapshot of the job that its packet describes and runs its first segment. Packet and context are filled in.
  JobEnd start(QueueJob& job, uint32_t features);
  // Runs the next segment of a suspended job.
  JobEnd resume(QueueJob& job);

  uint64_t commands_checked() const { return commands_checked_.load(std::memory_order_relaxed); }

 private:
  std::expected<void, ChipFault> prepare(QueueJob& job, uint32_t features);
  std::expected<std::span<std::byte>, ChipFault> find_record(QueueJob& job);
  static void price(QueueJob& job);
  void take_sram(const QueueJob& job);
  JobEnd run_segment(QueueJob& job);
  JobEnd execute(QueueJob& job, uint32_t begin, uint32_t end);
  static void write_events(const QueueJob& job);
  static void write_record(const QueueJob& job);

  const kawara_config& config_;
  HostMemory& host_;
  LocalMemory& local_;
  Sram& sram_;
  const Execute execute_;
  const JobControl control_;
  AddressSpace space_;
  SnapshotCache snapshots_;
  std::atomic<uint64_t> commands_checked_ = 0;
  std::optional<uint64_t> sram_owner_;  // identity of the context that used SRAM last
  uint64_t sram_dirty_ = 0;             // bytes from the start that it may have written

  // Of the segment that runs.
  const QueueJob* running_ = nullptr;
  uint32_t first_unretired_ = 0;
  const Progress progress_;
};

}  // namespace kawara::emulator
