// SPDX-License-Identifier: Apache-2.0
// Translates the regions that a job uses, and decides from the page table all that it can refuse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <vector>

#include "emulator/chip/address_space.h"
#include "emulator/chip/host_memory.h"
#include "emulator/chip/job_snapshot.h"
#include "emulator/executor.h"

namespace kawara::emulator {

// The memories that regions lead to.
struct Memories {
  HostMemory& host;
  std::span<std::byte> local, sram;
};

// A region for each of the table; those that no command names stay absent. A region that an engine other than DMA uses
// must be one piece of local memory or SRAM, else region_split. Host memory stays pinned as long as `pins`.
// The first of `regions` are filled anew; it grows when there are too few, and keeps its room.
std::expected<void, ChipFault> translate_regions(const JobSnapshot& job, std::span<const kawara_region> table, AddressSpace& space,
                                                 const Memories& memories, HostMemory::Pins& pins, std::vector<Region>& regions);

}  // namespace kawara::emulator
