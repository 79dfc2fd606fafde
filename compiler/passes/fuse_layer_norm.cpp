// SPDX-License-Identifier: Apache-2.0
// A layer normalisation as exporters wrote it before ONNX had the operator:
//   deviation = x - ReduceMean(x); deviation / sqrt(ReduceMean(deviation^2) + epsilon) [* scale [+ bias]]
// The last of these nodes becomes the LayerNormalization; those before it fall to dead_code, unless something else reads them.
#include <algorithm>

#include "elementwise.h"
#include "passes/passes.h"
#include "pattern.h"

namespace kawara::compiler {

namespace {

struct Found {
  size_t last = 0;  // index of the node that yields the result
  ValueId input = kAbsent, scale = kAbsent, bias = kAbsent;
  int64_t axis = 0;
  float epsilon = 0;
  std::vector<uint32_t> absorbed = {};
};

// The input whose square a value is.
std::optional<ValueId> squared(const Pattern& pattern, ValueId value) {
  if (const Node* pow = pattern.producer(value, "Pow"); pow && pattern.number(pow->inputs[1]) == 2.0f) return pow->inputs[0];
  if (const Node* mul = pattern.producer(value, "Mul"); mul && mul->inputs[0] == mul->inputs[1]) return mul->inputs[0];
  return std::nullopt;
}

// x, where a value is x - ReduceMean(x) over the axes.
std::optional<ValueId> centred(const Pattern& pattern, ValueId value, const std::vector<int64_t>& axes) {
  const Node* sub = pattern.producer(value, "Sub");
  const Node* mean = sub ? pattern.producer(sub->inputs[1], "ReduceMean") : nullptr;
  if (!mean || mean->inputs[0] != sub->inputs[0] || pattern.kept_axes(*mean) != axes) return std::nullopt;
  return sub->inputs[0];
}

// The other input of the one node that reads a value, if it is `op` and the other is broadcast over the normalised dimensions.
std::optional<ValueId> follower(const Graph& graph, const Pattern& pattern, ValueId value, std::string_view op, const Shape& normalised,
                                size_t& at) {
  const auto next = pattern.only_consumer(value);
  if (!next) return std::nullopt;
  const Node& node = graph.nodes[*next];
  if (node.op != op || !node.domain.empty() || node.inputs.size() != 2) return std::nullopt;
  const ValueId other = node.inputs[node.inputs[0] == value ? 1 : 0];
  if (other == kAbsent || broadcast(normalised, *graph.values[other].shape) != normalised) return std::nullopt;
  at = *next;
  return other;
}

std::optional<Found> layer_norm_at(const Graph& graph, const Pattern& pattern, size_t at) {
  const Node& div = graph.nodes[at];
  if (div.op != "Div" || !div.domain.empty() || graph.values[div.outputs[0]].dtype != DType::f32) return std::nullopt;
  const Node* sqrt = pattern.producer(div.inputs[1], "Sqrt");
  const Node* add = sqrt ? pattern.producer(sqrt->inputs[0], "Add") : nullptr;
  if (!add) return std::nullopt;
  const size_t constant = pattern.number(add->inputs[0]) ? 0 : 1;
  const auto epsilon = pattern.number(add->inputs[constant]);
  const Node* variance = pattern.producer(add->inputs[1 - constant], "ReduceMean");
  if (!epsilon || !variance) return std::nullopt;
  const auto axes = pattern.kept_axes(*variance);
  const auto deviation = squared(pattern, variance->inputs[0]);
  if (axes.empty() || !deviation) return std::nullopt;
  const auto input = centred(pattern, *deviation, axes);
  if (!input || centred(pattern, div.inputs[0], axes) != input) return std::nullopt;

  const Shape& shape = *graph.values[*input].shape;
  const auto rank = static_cast<int64_t>(shape.size());
  const bool to_the_end = axes.back() == rank - 1 && axes.back() - axes.front() + 1 == static_cast<int64_t>(axes.size());
  if (!to_the_end || graph.values[div.outputs[0]].shape != shape || element_count(shape) == 0) return std::nullopt;
  Found found{.last = at, .input = *input, .axis = axes.front(), .epsilon = *epsilon};
  const Shape normalised(shape.begin() + axes.front(), shape.end());
  if (const auto scale = follower(graph, pattern, div.outputs[0], "Mul", normalised, found.last)) {
    found.scale = *scale;
    if (const auto bias = follower(graph, pattern, graph.nodes[found.last].outputs[0], "Add", normalised, found.last)) found.bias = *bias;
  }
  found.absorbed = pattern.between(graph.nodes[found.last], {found.input, found.scale, found.bias});
  return found;
}

}  // namespace

bool fuse_layer_norm(Graph& graph) {
  std::vector<Found> all;
  {
    const Pattern pattern(graph);
    for (size_t i = 0; i < graph.nodes.size(); ++i)
      if (const auto found = layer_norm_at(graph, pattern, i)) all.push_back(*found);
  }
  for (const Found& found : all) {
    const float one = 1;
    const ValueId scale = found.scale != kAbsent
                              ? found.scale
                              : graph.add_value({.name = graph.nodes[found.last].name + ".scale",
                                                 .dtype = DType::f32,
                                                 .shape = Shape{1},
                                                 .constant = Tensor::copy_of(DType::f32, {1}, std::as_bytes(std::span(&one, 1)))});
    Node& node = graph.nodes[found.last];
    node.op = "LayerNormalization";
    node.opset = 17;
    node.inputs = {found.input, scale};
    if (found.bias != kAbsent) node.inputs.push_back(found.bias);
    node.attributes = {{"axis", found.axis}, {"epsilon", found.epsilon}};
    node.absorbed = found.absorbed;
  }
  return !all.empty();
}

}  // namespace kawara::compiler
