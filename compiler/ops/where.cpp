// SPDX-License-Identifier: Apache-2.0
// Where: a condition chooses between two values.
#include "elementwise.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  inference.require(inference.dtype(0) == DType::boolean, "the condition must be boolean");
  inference.require(inference.dtype(1) == inference.dtype(2), "both values must have one type");
  inference.require(bits(inference.dtype(1)) >= 8, "values must have 8 bits or more");
  inference.require(inference.node().inputs.size() == 3, "three inputs must be given");
  inference.set(0, inference.dtype(1), broadcast(inference));
}

}  // namespace

const Operator where_operator = {
    .name = "Where",
    .kind = OperatorKind::elementwise,
    .infer = infer,
    .fold =
        [](const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
          return fold_points(graph, node, inputs, [](std::span<const int64_t> x) { return x[0] ? x[1] : x[2]; }, nullptr);
        },
    .point =
        [](Points& points, const Graph&, const Node&, std::span<const Register> inputs) {
          return points.emit(KAWARA_OP_select, inputs[1].type, inputs[0], inputs[1], inputs[2]);
        },
};

}  // namespace kawara::compiler
