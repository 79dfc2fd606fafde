// SPDX-License-Identifier: Apache-2.0
// ConstantOfShape: one number, as often as a constant shape says.
#include <cstring>

#include "elementwise.h"

namespace kawara::compiler {

namespace {

Tensor number_of(const Node& node) {
  const auto found = node.attributes.find("value");
  const float zero = 0;
  if (found == node.attributes.end()) return Tensor::copy_of(DType::f32, {1}, std::as_bytes(std::span(&zero, 1)));
  const auto* tensor = std::get_if<Tensor>(&found->second);
  return tensor ? *tensor : Tensor{};
}

void infer(Inference& inference) {
  const Tensor number = number_of(inference.node());
  inference.require(number.dtype != DType::none && bits(number.dtype) >= 8 && element_count(number.shape) == 1,
                    "the value must be a tensor of one element of 8 bits or more");
  Shape shape = inference.integers(0);
  for (int64_t dimension : shape) inference.require(dimension >= 0, "a dimension is negative");
  inference.require(element_count(shape) <= 1 << 24, "more than 2^24 elements");
  inference.set(0, number.dtype, std::move(shape));
}

std::vector<Tensor> fold(const Graph& graph, const Node& node, std::span<const Tensor* const>) {
  const Tensor number = number_of(node);
  const Shape& shape = *graph.values[node.outputs[0]].shape;
  std::vector<std::byte> bytes(bytes_of(number.dtype, element_count(shape)));
  for (size_t at = 0; at < bytes.size(); at += number.bytes.size())
    std::memcpy(bytes.data() + at, number.bytes.data(), number.bytes.size());
  return {Tensor::copy_of(number.dtype, shape, bytes)};
}

}  // namespace

const Operator constant_of_shape_operator = {.name = "ConstantOfShape", .kind = OperatorKind::rewritten, .infer = infer, .fold = fold};

}  // namespace kawara::compiler
