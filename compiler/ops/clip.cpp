// SPDX-License-Identifier: Apache-2.0
// Clip: min(max(a, low), high); either bound may be absent. Attributes before version 11, inputs since.
#include <algorithm>

#include "elementwise.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  infer_unary(inference);
  inference.require(inference.dtype(0) != DType::u64, "u64 can't be compared: 64-bit registers are signed");
  for (const char* bound : {"min", "max"}) inference.attribute(bound, 0.0f);  // is a float
  for (size_t bound : {1, 2}) {
    if (!inference.has(bound)) continue;
    inference.require(inference.dtype(bound) == inference.dtype(0), "the bounds must have the type of the input");
    inference.require(element_count(inference.shape(bound)) == 1 && inference.shape(bound).size() <= inference.shape(0).size(),
                      "the bounds must be scalars");
  }
}

std::vector<Tensor> fold(const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
  if (inputs.size() != 3) return {};
  return fold_points(graph, node, inputs, [](std::span<const int64_t> x) { return std::min(std::max(x[0], x[1]), x[2]); }, nullptr);
}

Register point(Points& points, const Graph&, const Node& node, std::span<const Register> inputs) {
  Register result = inputs[0];
  if (node.opset < 11) {
    if (node.attributes.contains("min")) result = points.max(result, points.constant(float_attribute(node, "min", 0)));
    if (node.attributes.contains("max")) result = points.min(result, points.constant(float_attribute(node, "max", 0)));
    return result;
  }
  if (inputs.size() > 1 && inputs[1].type != DType::none) result = points.max(result, inputs[1]);
  if (inputs.size() > 2 && inputs[2].type != DType::none) result = points.min(result, inputs[2]);
  return result;
}

}  // namespace

const Operator clip_operator = {.name = "Clip", .kind = OperatorKind::elementwise, .infer = infer, .fold = fold, .point = point};

}  // namespace kawara::compiler
