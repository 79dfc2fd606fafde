// SPDX-License-Identifier: Apache-2.0
// Who touches which region of a job, and where a fault of the region is to be reported.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "emulator/chip/job_snapshot.h"

namespace kawara::emulator {

// An operand of a command.
struct OperandPlace {
  uint32_t command = 0;  // index in the job
  uint32_t field = 0;    // byte offset in the command
};

// The first operand of each kind that names the region.
struct RegionUse {
  std::optional<OperandPlace> read, written;
  std::optional<OperandPlace> computed;  // by an engine other than DMA, which needs it contiguous and near

  bool any() const { return read || written; }
};

// One for each region of a checked job.
std::vector<RegionUse> region_uses(const JobSnapshot& job);

// The fault, told about the command that `place` names.
ChipFault placed(ChipFault fault, const JobSnapshot& job, const OperandPlace& place);

}  // namespace kawara::emulator
