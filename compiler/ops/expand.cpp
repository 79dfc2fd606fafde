// SPDX-License-Identifier: Apache-2.0
// Expand: broadcasts to a given shape: stride 0 where the input has 1.
#include "elementwise.h"
#include "kawara/error.h"
#include "view.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  Shape wanted = inference.integers(1);
  for (int64_t dimension : wanted) inference.require(dimension >= 0, fmt::format("a dimension of the new shape is {}", dimension));
  const auto shape = broadcast(inference.shape(0), wanted);
  inference.require(shape.has_value(),
                    fmt::format("[{}] can't be expanded to [{}]", fmt::join(inference.shape(0), ","), fmt::join(wanted, ",")));
  inference.set(0, inference.dtype(0), *shape);
}

std::optional<View> view(const Graph& graph, const Node& node, const View& input) {
  const Shape& from = *graph.values[node.inputs[0]].shape;
  const Shape& to = *graph.values[node.outputs[0]].shape;
  View result{.buffer = input.buffer, .offset = input.offset, .strides = std::vector<int64_t>(to.size(), 0)};
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] != 1) result.strides[to.size() - from.size() + i] = input.strides[i];
  return result;
}

}  // namespace

const Operator expand_operator = {.name = "Expand", .kind = OperatorKind::view, .infer = infer, .view = view};

}  // namespace kawara::compiler
