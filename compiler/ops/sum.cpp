// SPDX-License-Identifier: Apache-2.0
// Sum: of any number of inputs, added from the first to the last.
#include "elementwise.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  infer_float(inference);
  infer_variadic(inference);
}

float add(std::span<const float> x) {
  float sum = x[0];
  for (float element : x.subspan(1)) sum += element;
  return sum;
}

Register point(Points& points, const Graph&, const Node&, std::span<const Register> inputs) {
  Register sum = inputs[0];
  for (const Register& input : inputs.subspan(1)) sum = points.add(sum, input);
  return sum;
}

}  // namespace

const Operator sum_operator = {
    .name = "Sum",
    .kind = OperatorKind::elementwise,
    .infer = infer,
    .fold = [](const Graph& graph, const Node& node,
               std::span<const Tensor* const> inputs) { return fold_points(graph, node, inputs, nullptr, add); },
    .point = point,
};

}  // namespace kawara::compiler
