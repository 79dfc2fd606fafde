// SPDX-License-Identifier: Apache-2.0
// Who touches which region of a job, and where a fault of the region is to be reported.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

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

// One for each region of a job whose commands are checked; `offsets`: where each command starts.
std::vector<RegionUse> region_uses(std::span<const std::byte> commands, std::span<const uint32_t> offsets, size_t regions);

}  // namespace kawara::emulator
