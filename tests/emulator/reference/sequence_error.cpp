// SPDX-License-Identifier: Apache-2.0
#include "emulator/reference/sequence_error.h"

#include <limits>

namespace kawara::test {

double exact(uint8_t op, double x) {
  switch (op) {
    case KAWARA_OP_exp: return std::exp(x);
    case KAWARA_OP_exp2: return std::exp2(x);
    case KAWARA_OP_log: return std::log(x);
    case KAWARA_OP_log2: return std::log2(x);
    case KAWARA_OP_tanh: return std::tanh(x);
    case KAWARA_OP_erf: return std::erf(x);
    case KAWARA_OP_rsqrt: return 1 / std::sqrt(x);
    default: return std::numeric_limits<double>::quiet_NaN();
  }
}

void SequenceError::measure(const SequenceBound& bound, uint32_t first, uint32_t step) {
  using namespace emulator::reference;
  static thread_local Lanes argument, result;
  bool any = false;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    argument.low[lane] = first + step * lane;
    const float x = std::bit_cast<float>(argument.low[lane]);
    any |= x >= bound.low && x <= bound.high;
  }
  if (!any) return;
  evaluate(bound.sequence, KAWARA_DTYPE_f32, 0, result, argument, argument, argument, kLanes);
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    const float x = std::bit_cast<float>(argument.low[lane]), y = std::bit_cast<float>(result.low[lane]);
    if (!(x >= bound.low && x <= bound.high)) continue;
    const double right = exact(bound.sequence, x);
    // Where rounding the exact result overflows, the sequence must too; NaN must be NaN.
    const float rounded = static_cast<float>(right);
    if (!std::isfinite(rounded) || !std::isfinite(y)) {
      if (std::isnan(rounded) ? std::isnan(y) : rounded == y) continue;
      ulp = std::numeric_limits<double>::infinity();
      at = x;
    } else if (std::fabs(right) < 0x1p-126) {
      const double steps = std::fabs(y - right) * 0x1p+149;
      if (steps > subnormal_steps) subnormal_steps = steps, subnormal_at = x;
    } else {
      const double error = std::fabs(y - right) * std::ldexp(1.0, 23 - std::ilogb(right));
      if (error > ulp) ulp = error, at = x;
    }
  }
}

}  // namespace kawara::test
