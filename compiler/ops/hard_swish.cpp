// SPDX-License-Identifier: Apache-2.0
// HardSwish: a * max(0, min(1, a / 6 + 0.5)), with 1 / 6 as the float that ONNX's function body holds.
#include "elementwise.h"

namespace kawara::compiler {

const Operator hard_swish_operator = {
    .name = "HardSwish",
    .kind = OperatorKind::elementwise,
    .infer = infer_float,
    .point =
        [](Points& points, const Graph&, const Node&, std::span<const Register> inputs) {
          const Register line = points.add(points.mul(inputs[0], points.constant(1.0f / 6.0f)), points.constant(0.5f));
          return points.mul(inputs[0], points.max(points.constant(0.0f), points.min(points.constant(1.0f), line)));
        },
};

}  // namespace kawara::compiler
