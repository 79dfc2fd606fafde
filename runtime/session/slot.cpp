// SPDX-License-Identifier: Apache-2.0
#include "slot.h"

#include <algorithm>
#include <cstring>

#include "kawara/error.h"
#include "kawara/hw/hw.h"

namespace kawara {

namespace {

kawara_region entry_of(const ProgramRegion& region, const Buffer* buffer) {
  kawara_region entry{};
  entry.size = region.size_bytes;
  entry.flags = (region.readable ? KAWARA_REGION_READ : 0) | (region.writable ? KAWARA_REGION_WRITE : 0) |
                static_cast<uint32_t>(region.alias_group) << KAWARA_REGION_ALIAS_LOW;
  if (buffer)
    entry.address = static_cast<uint64_t>(buffer->address());
  else
    entry.flags |= KAWARA_REGION_SRAM;  // a program's SRAM starts at the scratchpad's first byte
  return entry;
}

}  // namespace

Slot make_slot(const Device& device, const Program& program, const Buffer& weights) {
  const auto regions = program.regions();
  Slot slot;
  slot.own.resize(regions.size());
  slot.of_region.resize(regions.size(), nullptr);
  std::vector<kawara_region> table;
  for (size_t i = 0; i < regions.size(); ++i) {
    const uint64_t size = std::max<uint64_t>(regions[i].size_bytes, 1);
    switch (regions[i].role) {
      case ProgramRegion::Role::weights: slot.of_region[i] = &weights; break;
      case ProgramRegion::Role::arena: slot.own[i] = device.allocate(size, Memory::local); break;
      case ProgramRegion::Role::input:
      case ProgramRegion::Role::output: slot.own[i] = device.allocate(size, Memory::system); break;
      case ProgramRegion::Role::sram: break;
    }
    if (slot.own[i]) slot.of_region[i] = &slot.own[i];
    table.push_back(entry_of(regions[i], slot.of_region[i]));
  }
  slot.regions = device.allocate(std::max<size_t>(table.size() * sizeof(kawara_region), 1), Memory::system);
  if (!table.empty()) std::memcpy(slot.regions.bytes().data(), table.data(), table.size() * sizeof(kawara_region));
  return slot;
}

}  // namespace kawara
