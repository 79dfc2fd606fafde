// SPDX-License-Identifier: Apache-2.0
// Is a plan of memory sound? Looks at what the commands touch and at the offsets alone, so that every plan is proved by
// something other than what made it.
#pragma once

#include "allocate.h"

namespace kawara::compiler {

// Buffers alive at one command share no byte; each is aligned and inside its region; what lies in SRAM lives within one
// segment, and the scratchpad holds it. Weights share bytes only if they are the same. The bounds that the plan claims are what is
// alive at most. Throws internal, naming buffers and commands, for the first rule that is broken.
void check_plan(const Commands& model, const Allocation& allocation, uint64_t sram_bytes);

}  // namespace kawara::compiler
