// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/job_cost.h"

#include <algorithm>

#include "emulator/chip/job_snapshot.h"

namespace kawara::emulator {
namespace {

// A region that nobody names moves no bytes, wherever it is said to lie.
uint8_t memory_of(const Region& region) {
  switch (region.place) {
    case Region::Place::absent:
    case Region::Place::local: return KAWARA_MEMORY_LOCAL;
    case Region::Place::sram: return KAWARA_MEMORY_SRAM;
    case Region::Place::host: return KAWARA_MEMORY_HOST;
  }
  return KAWARA_MEMORY_LOCAL;
}

}  // namespace

bool JobCost::fits(std::span<const Region> regions) const { return std::ranges::equal(memories, regions, {}, {}, memory_of); }

JobCost job_cost(const JobSnapshot& snapshot, std::span<const Region> regions) {
  JobCost cost;
  cost.memories.resize(regions.size());
  std::ranges::transform(regions, cost.memories.begin(), memory_of);
  const kawara_cost_view view{.config = snapshot.limits.config,
                              .regions = snapshot.table.data(),
                              .n_regions = static_cast<uint32_t>(snapshot.table.size()),
                              .memories = cost.memories.data()};
  std::vector<uint64_t> retired(snapshot.offsets.size());
  cost.events.resize(snapshot.events.size());
  const kawara_cost_trace trace{.retired = retired.data(), .started = nullptr, .events = cost.events.data()};
  kawara_cost_job(snapshot.commands.data(), snapshot.offsets.data(), static_cast<uint32_t>(snapshot.offsets.size()), &view, &cost.total,
                  &trace);
  uint64_t before = 0;
  for (size_t segment = 0; segment < snapshot.segment_ends.size(); ++segment) {
    const uint64_t end =
        *std::max_element(retired.begin() + snapshot.segment_begin(segment), retired.begin() + snapshot.segment_ends[segment]);
    cost.segment_cycles.push_back(end - before);
    before = end;
  }
  return cost;
}

}  // namespace kawara::emulator
