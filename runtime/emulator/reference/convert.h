// SPDX-License-Identifier: Apache-2.0
// Float to integer as the chip does it: towards zero, saturated, NaN gives 0.
#pragma once

#include <cmath>
#include <limits>

namespace kawara::emulator::reference {

template <typename Integer>
constexpr Integer truncate_saturated(float value) {
  // Both limits rounded to f32; a value between the upper one and the true maximum does not exist.
  constexpr float low = static_cast<float>(std::numeric_limits<Integer>::min());
  constexpr float high = static_cast<float>(std::numeric_limits<Integer>::max());
  if (value != value) return 0;
  if (value <= low) return std::numeric_limits<Integer>::min();
  if (value >= high) return std::numeric_limits<Integer>::max();
  return static_cast<Integer>(value);
}

}  // namespace kawara::emulator::reference
