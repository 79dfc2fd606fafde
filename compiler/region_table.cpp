// SPDX-License-Identifier: Apache-2.0
#include "region_table.h"

namespace kawara::compiler {

namespace {

constexpr uint64_t kSpacing = uint64_t{1} << 12;

}  // namespace

std::vector<kawara_region> region_table(std::span<const ProgramRegion> regions) {
  std::vector<kawara_region> table;
  uint64_t address = KAWARA_VA_GUARD;
  for (const ProgramRegion& region : regions) {
    const bool sram = region.role == ProgramRegion::Role::sram;
    kawara_region entry{};
    entry.address = sram ? 0 : address;
    entry.size = region.size_bytes;
    entry.flags = (sram ? KAWARA_REGION_SRAM : KAWARA_REGION_MEMORY) | (region.readable ? KAWARA_REGION_READ : 0) |
                  (region.writable ? KAWARA_REGION_WRITE : 0) | uint32_t{region.alias_group} << KAWARA_REGION_ALIAS_LOW;
    table.push_back(entry);
    if (!sram) address += (region.size_bytes / kSpacing + 1) * kSpacing;
  }
  return table;
}

}  // namespace kawara::compiler
