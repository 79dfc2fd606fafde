// SPDX-License-Identifier: Apache-2.0
// What a job costs on the work clock: decided by its commands and by the memories that its regions lie in, and by nothing else.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "emulator/executor.h"
#include "kawara/hw/cost.h"

namespace kawara::emulator {

struct JobSnapshot;

struct JobCost {
  std::vector<uint8_t> memories;  // kawara_memory of each region: what the rest was computed for
  kawara_job_cost total{};
  std::vector<uint64_t> segment_cycles;  // in all: total.cycles
  std::vector<kawara_counters> events;   // what each command `event` shows

  bool fits(std::span<const Region> regions) const;
};

// regions: one for each of the snapshot's table.
JobCost job_cost(const JobSnapshot& snapshot, std::span<const Region> regions);

}  // namespace kawara::emulator
