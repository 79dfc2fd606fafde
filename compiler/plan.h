// SPDX-License-Identifier: Apache-2.0
// When a program's commands run and where its buffers lie: order, segments, memory and waits, chosen together by the chip's
// own clock.
#pragma once

#include <cstdint>

#include "allocate.h"
#include "command.h"
#include "waiting.h"

namespace kawara::compiler {

struct PlanOptions {
  uint64_t segment_cycles_max = uint64_t{1} << KAWARA_SEGMENT_CYCLES_LOG2;  // the chip's longest segment
};

struct Plan {
  Commands commands;  // in their order, with waits and switch points
  Allocation allocation;
  uint64_t cycles = 0;  // of the whole job, as the work clock counts them
};

// The lowered order and others are planned to the end, and the one with the fewest cycles is kept; with equal cycles the one
// with less memory. One that takes more memory than the lowered order must save as large a part of the cycles as it adds to
// the memory: weights, arena and the scratchpad, which counts whole, since no other job can use the rest of it meanwhile. An
// order that fits local memory goes before one that does not.
// Where the memory of the one that is kept may be less, it is packed more thoroughly, and stays so if that costs no larger a part
// of the cycles than it saves of the memory. Every plan passes check_plan(). Throws unsupported for a command that no segment can hold.
Plan make_plan(const Commands& lowered, const kawara_config& target, const PlanOptions& options = {}, const Waiting& waiting = {});

// One order as it is: what make_plan() does with each.
Plan plan_order(const Commands& lowered, const std::vector<uint32_t>& order, const kawara_config& target, const PlanOptions& options = {});

}  // namespace kawara::compiler
