// SPDX-License-Identifier: Apache-2.0
// Transpose: dimensions in another order; reversed when no order is given.
#include "kawara/error.h"
#include "view.h"

namespace kawara::compiler {

namespace {

std::vector<int64_t> order_of(const Node& node, size_t rank) {
  if (const auto found = node.attributes.find("perm"); found != node.attributes.end()) return std::get<std::vector<int64_t>>(found->second);
  std::vector<int64_t> order;
  for (size_t i = rank; i-- > 0;) order.push_back(static_cast<int64_t>(i));
  return order;
}

void infer(Inference& inference) {
  const Shape& input = inference.shape(0);
  inference.attribute("perm", std::vector<int64_t>{});  // is a list of integers
  const auto order = order_of(inference.node(), input.size());
  inference.require(order.size() == input.size(), fmt::format("perm orders {} dimensions, the input has {}", order.size(), input.size()));
  for (int64_t axis : order) inference.require(axis >= 0, "perm must not be negative");
  Shape shape;
  for (size_t axis : inference.axes(order, input.size())) shape.push_back(input[axis]);
  inference.set(0, inference.dtype(0), std::move(shape));
}

std::optional<View> view(const Graph&, const Node& node, const View& input) {
  View result = input;
  const auto order = order_of(node, input.strides.size());
  for (size_t i = 0; i < order.size(); ++i) result.strides[i] = input.strides[order[i]];
  return result;
}

}  // namespace

const Operator transpose_operator = {.name = "Transpose", .kind = OperatorKind::view, .infer = infer, .view = view};

}  // namespace kawara::compiler
