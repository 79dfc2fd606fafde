// SPDX-License-Identifier: Apache-2.0
// Are all commands of a job that meet in memory, one of them writing, in an order? Decided from its bytes and its region table
// alone, so that whatever planned the waits is proved by something else.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "kawara/hw/hw.h"

namespace kawara::compiler {

// Two commands without an order whose footprints meet. Byte offsets in the command buffer; the region is the later one's.
struct Race {
  uint32_t earlier = 0, later = 0;
  uint32_t region = 0;
};

// The first race of a job that kawara_check() accepted, or nullopt. Engines keep their own order, waits and switch points
// give the rest. Takes time in proportion to n log n for n operands.
std::optional<Race> find_race(std::span<const std::byte> commands, std::span<const kawara_region> regions);

}  // namespace kawara::compiler
