// SPDX-License-Identifier: Apache-2.0
// Writes the microcode of one point of a loop nest: operators emit instructions on registers, each assigned once;
// finish() removes what nothing uses, shares equal constants and instructions, and fits the rest into the chip's registers.
#pragma once

#include <cstdint>

#include "kawara/dtype.h"
#include "kawara/hw/commands.h"

namespace kawara::compiler {

// A register and the type it is computed in: f32, i32, u32 (also booleans, 0 or 1) or i64.
struct Register {
  uint32_t id = ~0u;
  DType type = DType::none;
};

// The type in which the chip computes on elements of a dtype: floats f32, small signed i32, unsigned and boolean u32, 64 bits i64.
DType compute_type(DType element);

class Points {
 public:
  Register constant(float value);
  Register constant(DType type, int64_t value);
  // One row of microcode.def. `type` is the instruction's type field; comparisons and tests yield u32.
  Register emit(kawara_microcode op, DType type, Register a, Register b = {}, Register c = {});
  Register convert(DType to, Register a);  // cvt; a itself when the types agree

  Register add(Register a, Register b) { return emit(KAWARA_OP_add, a.type, a, b); }
  Register sub(Register a, Register b) { return emit(KAWARA_OP_sub, a.type, a, b); }
  Register mul(Register a, Register b) { return emit(KAWARA_OP_mul, a.type, a, b); }
  Register div(Register a, Register b) { return emit(KAWARA_OP_div, a.type, a, b); }
  Register min(Register a, Register b) { return emit(KAWARA_OP_min, a.type, a, b); }
  Register max(Register a, Register b) { return emit(KAWARA_OP_max, a.type, a, b); }
};

}  // namespace kawara::compiler
