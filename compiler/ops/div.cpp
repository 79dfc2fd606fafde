// SPDX-License-Identifier: Apache-2.0
// Div: a / b; integers truncate towards zero.
#include "elementwise.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  infer_arithmetic(inference);
  inference.require(inference.dtype(0) != DType::u64, "u64 can't be divided: 64-bit registers are signed");
}

// As the chip divides: x / 0 is 0, and the quotient of the least number by -1 wraps.
int64_t divide(std::span<const int64_t> x) {
  if (x[1] == 0) return 0;
  return x[1] == -1 ? static_cast<int64_t>(-static_cast<uint64_t>(x[0])) : x[0] / x[1];
}

}  // namespace

const Operator div_operator = {
    .name = "Div",
    .kind = OperatorKind::elementwise,
    .infer = infer,
    .fold =
        [](const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
          return fold_points(graph, node, inputs, divide, [](std::span<const float> x) { return x[0] / x[1]; });
        },
    .point =
        [](Points& points, const Graph& graph, const Node& node, std::span<const Register> inputs) {
          return wrap(points, graph.values[node.outputs[0]].dtype, points.div(inputs[0], inputs[1]));
        },
};

}  // namespace kawara::compiler
