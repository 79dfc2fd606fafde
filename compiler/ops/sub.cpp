// SPDX-License-Identifier: Apache-2.0
// Sub: a - b; integers wrap.
#include "elementwise.h"

namespace kawara::compiler {

const Operator sub_operator = {
    .name = "Sub",
    .kind = OperatorKind::elementwise,
    .infer = infer_arithmetic,
    .fold =
        [](const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
          return fold_points(
              graph, node, inputs,
              [](std::span<const int64_t> x) { return static_cast<int64_t>(static_cast<uint64_t>(x[0]) - static_cast<uint64_t>(x[1])); },
              [](std::span<const float> x) { return x[0] - x[1]; });
        },
    .point =
        [](Points& points, const Graph& graph, const Node& node, std::span<const Register> inputs) {
          return wrap(points, graph.values[node.outputs[0]].dtype, points.sub(inputs[0], inputs[1]));
        },
};

}  // namespace kawara::compiler
