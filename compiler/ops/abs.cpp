// SPDX-License-Identifier: Apache-2.0
// Abs: |a|; integers wrap.
#include <cmath>

#include "elementwise.h"

namespace kawara::compiler {

const Operator abs_operator = {
    .name = "Abs",
    .kind = OperatorKind::elementwise,
    .infer = infer_unary,
    .fold =
        [](const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
          return fold_points(
              graph, node, inputs,
              [](std::span<const int64_t> x) { return x[0] < 0 ? static_cast<int64_t>(-static_cast<uint64_t>(x[0])) : x[0]; },
              [](std::span<const float> x) { return std::fabs(x[0]); });
        },
    .point =
        [](Points& points, const Graph& graph, const Node& node, std::span<const Register> inputs) {
          // What is unsigned has no sign to lose; the instruction has no such type.
          if (inputs[0].type == DType::u32 || graph.values[node.inputs[0]].dtype == DType::u64) return inputs[0];
          return wrap(points, graph.values[node.outputs[0]].dtype, points.emit(KAWARA_OP_abs, inputs[0].type, inputs[0]));
        },
};

}  // namespace kawara::compiler
