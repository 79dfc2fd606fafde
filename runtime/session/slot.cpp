// SPDX-License-Identifier: Apache-2.0
#include "slot.h"

#include <algorithm>
#include <cstring>

#include "kawara/error.h"
#include "kawara/file/program_regions.h"

namespace kawara {

namespace {

kawara_region entry_of(const ProgramRegion& region, const Buffer* buffer) {
  kawara_region entry = file::region_entry(region);
  if (buffer) entry.address = static_cast<uint64_t>(buffer->address());  // a program's SRAM starts at the scratchpad's first byte
  return entry;
}

std::string name_of(const Program& program, const ProgramRegion& region) {
  switch (region.role) {
    case ProgramRegion::Role::weights: return "the weights";
    case ProgramRegion::Role::arena: return "the arena of intermediate results";
    case ProgramRegion::Role::input: return fmt::format("input '{}'", program.inputs()[region.index].name);
    case ProgramRegion::Role::output: return fmt::format("output '{}'", program.outputs()[region.index].name);
    case ProgramRegion::Role::sram: return "SRAM";
  }
  return "";
}

}  // namespace

Buffer allocate(const Device& device, uint64_t size_bytes, Memory memory, std::string_view what) {
  try {
    return device.allocate(std::max<uint64_t>(size_bytes, 1), memory);
  } catch (const Error& error) {
    if (error.code() != Code::out_of_memory) throw;
    if (memory == Memory::system) throw fail(Code::out_of_memory, "{}: {} bytes of host memory: {}", what, size_bytes, error.what());
    throw fail(Code::out_of_memory, "{}: {} bytes of local memory; {} has {} bytes, of which {} are free{}", what, size_bytes,
               device.name(), device.local_bytes(), device.local_free_bytes(),
               size_bytes <= device.local_free_bytes() ? ", but not in one piece" : "");
  }
}

void place(Slot& slot, uint32_t region, const Buffer* buffer) {
  slot.held[region] = buffer ? buffer->share() : Buffer();
  const auto table = reinterpret_cast<kawara_region*>(slot.regions.bytes().data());
  table[region].address = static_cast<uint64_t>(buffer_of(slot, region).address());
}

const Buffer& buffer_of(const Slot& slot, uint32_t region) { return slot.held[region] ? slot.held[region] : *slot.of_region[region]; }

Slot make_slot(const Device& device, const Program& program, const Buffer& weights) {
  const auto regions = program.regions();
  Slot slot;
  slot.own.resize(regions.size());
  slot.of_region.resize(regions.size(), nullptr);
  slot.held.resize(regions.size());
  std::vector<kawara_region> table;
  for (size_t i = 0; i < regions.size(); ++i) {
    const uint64_t size = std::max<uint64_t>(regions[i].size_bytes, 1);
    switch (regions[i].role) {
      case ProgramRegion::Role::weights: slot.of_region[i] = &weights; break;
      case ProgramRegion::Role::arena: slot.own[i] = allocate(device, size, Memory::local, name_of(program, regions[i])); break;
      case ProgramRegion::Role::input:
      case ProgramRegion::Role::output: slot.own[i] = allocate(device, size, Memory::system, name_of(program, regions[i])); break;
      case ProgramRegion::Role::sram: break;
    }
    if (slot.own[i]) slot.of_region[i] = &slot.own[i];
    table.push_back(entry_of(regions[i], slot.of_region[i]));
  }
  slot.regions = allocate(device, table.size() * sizeof(kawara_region), Memory::system, "the region table");
  if (!table.empty()) std::memcpy(slot.regions.bytes().data(), table.data(), table.size() * sizeof(kawara_region));
  return slot;
}

}  // namespace kawara
