// SPDX-License-Identifier: Apache-2.0
// Neg: -a; integers wrap.
#include "elementwise.h"

namespace kawara::compiler {

const Operator neg_operator = {
    .name = "Neg",
    .kind = OperatorKind::elementwise,
    .infer = infer_signed,
    .fold =
        [](const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
          return fold_points(
              graph, node, inputs, [](std::span<const int64_t> x) { return static_cast<int64_t>(-static_cast<uint64_t>(x[0])); },
              [](std::span<const float> x) { return -x[0]; });
        },
    .point =
        [](Points& points, const Graph& graph, const Node& node, std::span<const Register> inputs) {
          return wrap(points, graph.values[node.outputs[0]].dtype, points.emit(KAWARA_OP_neg, inputs[0].type, inputs[0]));
        },
};

}  // namespace kawara::compiler
