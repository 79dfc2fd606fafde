// SPDX-License-Identifier: Apache-2.0
// Greater: a > b; false where one is NaN.
#include "elementwise.h"

namespace kawara::compiler {

const Operator greater_operator = {
    .name = "Greater",
    .kind = OperatorKind::elementwise,
    .infer = infer_order,
    .fold =
        [](const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
          return fold_points(graph, node, inputs, [](std::span<const int64_t> x) { return static_cast<int64_t>(x[0] > x[1]); }, nullptr);
        },
    .point = [](Points& points, const Graph&, const Node&,
                std::span<const Register> inputs) { return points.emit(KAWARA_OP_lt, inputs[0].type, inputs[1], inputs[0]); },
};

}  // namespace kawara::compiler
