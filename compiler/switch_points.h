// SPDX-License-Identifier: Apache-2.0
// Where a program may be left for another queue's: the ends of its segments, which the chip bounds in cycles.
#pragma once

#include <span>

#include "command.h"
#include "prices.h"

namespace kawara::compiler {

// A segment stays within a quarter of the chip's limit, unless one command alone is longer.
constexpr uint64_t segment_share(uint64_t limit) { return limit / 4; }

// Ends segments so that the cycles of each add up to no more than segment_share(limit). Among the places where one may end,
// the one that the fewest bytes of the arena live across: what does can't lie in SRAM. Throws unsupported, naming the node,
// for a command that alone is longer than `limit`.
void set_switch_points(Commands& model, std::span<const Price> prices, uint64_t limit);

}  // namespace kawara::compiler
