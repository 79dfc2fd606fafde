// SPDX-License-Identifier: Apache-2.0
// The job that a queue is at, from its start to its end: also while it stands between two segments and others run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "emulator/chip/host_memory.h"
#include "emulator/chip/job_cost.h"
#include "emulator/chip/job_snapshot.h"
#include "emulator/executor.h"
#include "kawara/hw/ring.h"

namespace kawara::emulator {

// The context of a job, as it was when the job started.
struct JobContext {
  uint32_t number = 0;
  uint64_t root = 0;      // bus address of its page table
  uint64_t identity = 0;  // another number when the context got another page table
};

// A queue has one, and uses it for job after job: lists keep their room.
struct QueueJob {
  QueueJob(unsigned queue, HostMemory& host) : queue(queue), pins(host) {}

  const unsigned queue;
  kawara_run_packet packet{};
  JobContext context;
  std::shared_ptr<const JobSnapshot> snapshot;
  std::vector<kawara_region> table;  // as this job gave it
  std::vector<Region> regions;       // one for each of the table, and maybe more
  std::shared_ptr<const JobCost> cost;
  std::span<std::byte> record;      // empty: none
  HostMemory::Pins pins;            // of the regions and the record
  size_t segment = 0;               // the one to run next
  uint64_t segment_cycles = 0;      // of the one that ran last
  std::optional<uint32_t> hang_at;  // an injected hang fires at that command
  Health health;

  // Nothing of the job will run any more: what it held is free.
  void end() {
    snapshot.reset();
    cost.reset();
    pins.clear();
  }
};

}  // namespace kawara::emulator
