// SPDX-License-Identifier: Apache-2.0
// The chip's own copy of a job's command buffer and region table, and all that the check found out about them: what is
// checked is what runs, whatever the host writes meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <vector>

#include "emulator/chip/chip_fault.h"
#include "emulator/chip/job_cost.h"
#include "emulator/chip/region_uses.h"
#include "kawara/hw/check.h"

namespace kawara::emulator {

// Good for every job of these commands whose table differs in addresses alone, once check_table() has passed for that table.
struct JobSnapshot {
  uint64_t number = 0;  // of these contents: no other snapshot of the chip has it
  kawara_check_limits limits{};
  std::vector<std::byte> commands;
  std::vector<kawara_region> table;             // of the job that was checked
  std::vector<uint32_t> offsets;                // of each command
  std::vector<uint32_t> segment_ends;           // commands before the end of each segment; none without commands
  std::vector<uint64_t> events;                 // what each command `event` writes to: an operand
  std::vector<RegionUse> uses;                  // one for each region
  mutable std::shared_ptr<const JobCost> cost;  // of the job that ran last; for the command processor alone

  uint64_t size_bytes() const;
  uint32_t segment_begin(size_t segment) const { return segment == 0 ? 0 : segment_ends[segment - 1]; }

  // Every rule of check.h; fills in what is not given: all but the first four members.
  std::expected<void, ChipFault> check();

  // Whether a table is this one but for addresses.
  bool fits(std::span<const kawara_region> other) const;

  // The fault, told about the command that `place` names.
  ChipFault placed(ChipFault fault, const OperandPlace& place) const;
};

// What depends on a table's addresses: bounds, alignment, overlaps.
std::expected<void, ChipFault> check_table(std::span<const kawara_region> table, const kawara_check_limits& limits);

}  // namespace kawara::emulator
