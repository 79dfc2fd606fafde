// SPDX-License-Identifier: Apache-2.0
// Constant: a tensor, number or list of numbers that stands in an attribute.
#include "elementwise.h"

namespace kawara::compiler {

namespace {

std::optional<Tensor> tensor_of_node(const Node& node) {
  for (const auto& [name, attribute] : node.attributes) {
    if (const auto* tensor = std::get_if<Tensor>(&attribute); tensor && name == "value") return *tensor;
    if (const auto* real = std::get_if<float>(&attribute); real && name == "value_float")
      return Tensor::copy_of(DType::f32, {}, std::as_bytes(std::span(real, 1)));
    if (const auto* integer = std::get_if<int64_t>(&attribute); integer && name == "value_int")
      return Tensor::copy_of(DType::i64, {}, std::as_bytes(std::span(integer, 1)));
    if (const auto* reals = std::get_if<std::vector<float>>(&attribute); reals && name == "value_floats")
      return Tensor::copy_of(DType::f32, {static_cast<int64_t>(reals->size())}, std::as_bytes(std::span(*reals)));
    if (const auto* integers = std::get_if<std::vector<int64_t>>(&attribute); integers && name == "value_ints")
      return Tensor::copy_of(DType::i64, {static_cast<int64_t>(integers->size())}, std::as_bytes(std::span(*integers)));
  }
  return std::nullopt;
}

void infer(Inference& inference) {
  const auto tensor = tensor_of_node(inference.node());
  inference.require(tensor.has_value(), "the value must be a tensor, a number or a list of numbers (no strings, not sparse)");
  inference.set(0, tensor->dtype, tensor->shape);
}

std::vector<Tensor> fold(const Graph&, const Node& node, std::span<const Tensor* const>) { return {*tensor_of_node(node)}; }

}  // namespace

const Operator constant_operator = {.name = "Constant", .kind = OperatorKind::rewritten, .infer = infer, .fold = fold};

}  // namespace kawara::compiler
