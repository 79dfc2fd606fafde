// SPDX-License-Identifier: Apache-2.0
// Pow: a to the power b, for the constant powers that exact instructions compute.
#include <cmath>

#include "elementwise.h"

namespace kawara::compiler {

namespace {

// The exponent, if it is the same constant for every element.
std::optional<float> exponent_of(const Tensor* tensor) {
  if (!tensor || element_count(tensor->shape) != 1) return std::nullopt;
  if (tensor->dtype == DType::f32) return tensor->as<float>()[0];
  if (is_integer(tensor->dtype) && bits(tensor->dtype) >= 8) return static_cast<float>(integers_of(*tensor)[0]);
  return std::nullopt;
}

bool is_exact(float exponent) {
  return exponent == 0.5f || exponent == 1 || exponent == 2 || exponent == 3 || exponent == 4 || exponent == -1;
}

void infer(Inference& inference) {
  const DType dtype = inference.dtype(0);
  inference.require(is_float(dtype) && bits(dtype) >= 16, "the base must be f32, f16 or bf16");
  const auto exponent = exponent_of(inference.constant(1));
  inference.require(exponent && is_exact(*exponent), "the exponent must be a constant scalar: 0.5, 1, 2, 3, 4 or -1");
  inference.set(0, dtype, broadcast(inference));
}

// The steps of `point`, so that the bits agree.
float power(std::span<const float> x) {
  const float a = x[0], exponent = x[1], square = a * a;
  if (exponent == 0.5f) return std::sqrt(a);
  if (exponent == -1) return 1.0f / a;
  if (exponent == 1) return a;
  if (exponent == 2) return square;
  return square * (exponent == 3 ? a : square);
}

std::vector<Tensor> fold(const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
  return fold_points(graph, node, inputs, nullptr, power);
}

Register point(Points& points, const Graph& graph, const Node& node, std::span<const Register> inputs) {
  const Register a = inputs[0];
  const float exponent = *exponent_of(&*graph.values[node.inputs[1]].constant);
  if (exponent == 0.5f) return points.emit(KAWARA_OP_sqrt, DType::f32, a);
  if (exponent == -1) return points.div(points.constant(1.0f), a);
  if (exponent == 1) return a;
  const Register square = points.mul(a, a);
  if (exponent == 2) return square;
  return points.mul(square, exponent == 3 ? a : square);
}

}  // namespace

const Operator pow_operator = {.name = "Pow", .kind = OperatorKind::elementwise, .infer = infer, .fold = fold, .point = point};

}  // namespace kawara::compiler
