// SPDX-License-Identifier: Apache-2.0
// Engine 0: takes a job's snapshot, checks it, has it run, and writes its record.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "emulator/chip/chip_fault.h"
#include "emulator/chip/job_regions.h"
#include "emulator/chip/job_snapshot.h"
#include "emulator/chip/local_memory.h"
#include "emulator/executor.h"

namespace kawara::emulator {

// How a job and the rest of the chip talk.
struct JobControl {
  std::function<bool()> stopped;                                           // the job is to end soon, unretired
  std::function<void(uint32_t command_offset)> retired;                    // a command has retired
  std::function<void()> work;                                              // a work quantum passed
  std::function<std::optional<uint32_t>(uint32_t command_count)> hang_at;  // an injected hang fires at that command
};

// The context of a job, as it was when the job started.
struct JobContext {
  uint64_t root = 0;      // bus address of its page table
  uint64_t identity = 0;  // another number when the context got another page table
};

// How a job ended.
struct JobEnd {
  enum class Kind {
    retired,  // its record is written
    faulted,  // `fault` says why
    stopped,  // control.stopped() said so
    hung,     // an injected hang: it will never end, and touches no memory any more
    broken,   // the executor threw: an error inside the chip
  } kind = Kind::retired;
  ChipFault fault{};
  std::string message{};  // broken: what the executor said
};

// Used by one thread at a time. Jobs run one after another, whichever engines they need: the simplest order that the
// manual allows (a job of copies alone may run beside another, and does not yet).
class CommandProcessor {
 public:
  CommandProcessor(const kawara_config& config, HostMemory& host, LocalMemory& local, Sram& sram, Execute execute)
      : config_(config), host_(host), local_(local), sram_(sram), execute_(std::move(execute)) {}

  JobEnd run(const kawara_run_packet& packet, const JobContext& context, uint32_t features, const JobControl& control);

 private:
  using Record = std::span<std::byte>;  // empty: none

  JobEnd prepare(const kawara_run_packet& packet, AddressSpace& space, uint32_t features, HostMemory::Pins& pins);
  std::expected<Record, ChipFault> find_record(uint64_t address, AddressSpace& space, HostMemory::Pins& pins);
  void take_sram(uint64_t identity);
  JobEnd execute(const JobControl& control, Health& health);
  void write_record(const kawara_run_packet& packet, const Health& health);

  const kawara_config& config_;
  HostMemory& host_;
  LocalMemory& local_;
  Sram& sram_;
  Execute execute_;
  std::optional<uint64_t> sram_owner_;  // identity of the context that used SRAM last
  uint64_t sram_dirty_ = 0;             // bytes from the start that it may have written

  // Of the job that runs; members so that the next one finds the room.
  JobSnapshot job_;
  std::vector<Region> regions_;
  Record record_;
};

}  // namespace kawara::emulator
