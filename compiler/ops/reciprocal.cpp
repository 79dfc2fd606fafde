// SPDX-License-Identifier: Apache-2.0
// Reciprocal: 1 / a.
#include "elementwise.h"

namespace kawara::compiler {

const Operator reciprocal_operator = {
    .name = "Reciprocal",
    .kind = OperatorKind::elementwise,
    .infer = infer_float,
    .fold =
        [](const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
          return fold_points(graph, node, inputs, nullptr, [](std::span<const float> x) { return 1.0f / x[0]; });
        },
    .point = [](Points& points, const Graph&, const Node&,
                std::span<const Register> inputs) { return points.div(points.constant(1.0f), inputs[0]); },
};

}  // namespace kawara::compiler
