// SPDX-License-Identifier: Apache-2.0
// How far apart two tensors of one type are, element by element.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kawara/dtype.h"

namespace kawara {

struct Difference {
  uint64_t different = 0;  // elements with other bits; two NaN do not differ
  double max_abs = 0;      // infinite where one is NaN, or one infinity
  uint64_t max_ulp = 0;    // of floats: steps from value to value of the type; -0 and 0 are one
  double magnitude = 0;    // of the largest finite of `a`
};

// Both hold `elements` of the type. 4-bit types count as bytes of two.
Difference difference(DType dtype, std::span<const std::byte> a, std::span<const std::byte> b);

}  // namespace kawara
