// SPDX-License-Identifier: Apache-2.0
// How far a published sequence is from the function it stands for, as the C library computes that in double.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "emulator/reference/microcode.h"
#include "kawara/hw/sequences.h"

namespace kawara::test {

double exact(uint8_t op, double x);

struct SequenceError {
  double ulp = 0, subnormal_steps = 0;
  float at = 0, subnormal_at = 0;

  // Takes kLanes arguments: bits `first`, `first + step`, …
  void measure(const SequenceBound& bound, uint32_t first, uint32_t step);
};

}  // namespace kawara::test
