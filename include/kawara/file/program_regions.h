// SPDX-License-Identifier: Apache-2.0
// A program's regions as the chip's region table has them, for all who check, cost or run the program.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kawara/hw/cost_command.h"
#include "kawara/program.h"

namespace kawara::file {

// But for the address: what an entry says of the region.
inline kawara_region region_entry(const ProgramRegion& region) {
  kawara_region entry{};
  entry.size = region.size_bytes;
  entry.flags = (region.role == ProgramRegion::Role::sram ? KAWARA_REGION_SRAM : KAWARA_REGION_MEMORY) |
                (region.readable ? KAWARA_REGION_READ : 0) | (region.writable ? KAWARA_REGION_WRITE : 0) |
                uint32_t{region.alias_group} << KAWARA_REGION_ALIAS_LOW;
  return entry;
}

// A table as a session might write it, where addresses are needed before there are any: memory regions one behind the other, apart
// from each other; SRAM starts at the scratchpad's first byte.
inline std::vector<kawara_region> region_table(std::span<const ProgramRegion> regions) {
  constexpr uint64_t kSpacing = uint64_t{1} << 12;
  std::vector<kawara_region> table;
  uint64_t address = KAWARA_VA_GUARD;
  for (const ProgramRegion& region : regions) {
    kawara_region& entry = table.emplace_back(region_entry(region));
    if (region.role == ProgramRegion::Role::sram) continue;
    entry.address = address;
    address += (region.size_bytes / kSpacing + 1) * kSpacing;
  }
  return table;
}

// Which memory the work clock charges for it.
inline uint8_t memory_of(const ProgramRegion& region) {
  switch (region.role) {
    case ProgramRegion::Role::weights:
    case ProgramRegion::Role::arena: return KAWARA_MEMORY_LOCAL;
    case ProgramRegion::Role::input:
    case ProgramRegion::Role::output: return KAWARA_MEMORY_HOST;
    case ProgramRegion::Role::sram: return KAWARA_MEMORY_SRAM;
  }
  return KAWARA_MEMORY_HOST;
}

}  // namespace kawara::file
