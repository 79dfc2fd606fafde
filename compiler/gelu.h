// SPDX-License-Identifier: Apache-2.0
// GELU at a point: what its operators (Gelu, BiasGelu, FastGelu) share.
#pragma once

#include "points.h"

namespace kawara::compiler {

// x * (1 + erf(x / sqrt(2))) / 2
Register gelu(Points& points, Register x);
// x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2
Register tanh_gelu(Points& points, Register x);

}  // namespace kawara::compiler
