// SPDX-License-Identifier: Apache-2.0
// Relu: max(a, 0); NaN stays NaN.
#include "elementwise.h"

namespace kawara::compiler {

const Operator relu_operator = {
    .name = "Relu",
    .kind = OperatorKind::elementwise,
    .infer = infer_signed,
    .fold =
        [](const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
          return fold_points(
              graph, node, inputs, [](std::span<const int64_t> x) { return x[0] > 0 ? x[0] : 0; },
              [](std::span<const float> x) { return x[0] <= 0 ? 0.0f : x[0]; });
        },
    .point =
        [](Points& points, const Graph&, const Node&, std::span<const Register> inputs) {
          const Register zero = inputs[0].type == DType::f32 ? points.constant(0.0f) : points.constant(inputs[0].type, 0);
          return points.max(inputs[0], zero);
        },
};

}  // namespace kawara::compiler
