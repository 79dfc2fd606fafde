// SPDX-License-Identifier: Apache-2.0
// Shape: the dimensions of a value, or some of them (start and end, since version 15).
#include <algorithm>

#include "elementwise.h"

namespace kawara::compiler {

namespace {

std::vector<int64_t> dimensions_of(const Shape& shape, int64_t start, int64_t end) {
  const auto rank = static_cast<int64_t>(shape.size());
  const auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  start = clamp(start);
  end = std::max(clamp(end), start);
  return {shape.begin() + start, shape.begin() + end};
}

int64_t integer(const Node& node, const char* name, int64_t otherwise) {
  const auto found = node.attributes.find(name);
  return found == node.attributes.end() ? otherwise : std::get<int64_t>(found->second);
}

void infer(Inference& inference) {
  const auto dimensions =
      dimensions_of(inference.shape(0), inference.attribute("start", int64_t{0}), inference.attribute("end", INT64_MAX));
  inference.set(0, DType::i64, {static_cast<int64_t>(dimensions.size())});
}

std::vector<Tensor> fold(const Graph& graph, const Node& node, std::span<const Tensor* const>) {
  const auto dimensions = dimensions_of(*graph.values[node.inputs[0]].shape, integer(node, "start", 0), integer(node, "end", INT64_MAX));
  return {tensor_of(DType::i64, {static_cast<int64_t>(dimensions.size())}, dimensions)};
}

}  // namespace

const Operator shape_operator = {.name = "Shape", .kind = OperatorKind::rewritten, .infer = infer, .fold = fold, .fold_from_shapes = true};

}  // namespace kawara::compiler
