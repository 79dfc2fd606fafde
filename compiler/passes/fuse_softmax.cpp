// SPDX-License-Identifier: Apache-2.0
#include "passes/passes.h"
#include "pattern.h"

namespace kawara::compiler {

namespace {

struct Found {
  ValueId input;
  int64_t axis;
  std::vector<uint32_t> absorbed;
};

// exp(x - max(x)) / sum(exp(x - max(x))). Without the maximum the quotient overflows where a softmax does not, so it stays as it is.
std::optional<Found> softmax_at(const Graph& graph, const Pattern& pattern, const Node& div) {
  if (div.op != "Div" || !div.domain.empty() || graph.values[div.outputs[0]].dtype != DType::f32) return std::nullopt;
  const Node* exp = pattern.producer(div.inputs[0], "Exp");
  const Node* sum = pattern.producer(div.inputs[1], "ReduceSum");
  if (!exp || !sum || sum->inputs[0] != exp->outputs[0]) return std::nullopt;
  const Node* sub = pattern.producer(exp->inputs[0], "Sub");
  if (!sub) return std::nullopt;
  const Node* max = pattern.producer(sub->inputs[1], "ReduceMax");
  if (!max || max->inputs[0] != sub->inputs[0]) return std::nullopt;
  const auto axes = pattern.kept_axes(*sum);
  if (axes.size() != 1 || axes != pattern.kept_axes(*max)) return std::nullopt;
  return Found{sub->inputs[0], axes[0], pattern.between(div, {sub->inputs[0]})};
}

}  // namespace

bool fuse_softmax(Graph& graph) {
  const Pattern pattern(graph);
  std::vector<std::pair<size_t, Found>> all;
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    if (const auto found = softmax_at(graph, pattern, graph.nodes[i])) all.emplace_back(i, *found);
  for (const auto& [at, found] : all) {
    Node& node = graph.nodes[at];
    node.op = "Softmax";
    node.opset = 13;
    node.inputs = {found.input};
    node.attributes = {{"axis", found.axis}};
    node.absorbed = found.absorbed;
  }
  return !all.empty();
}

}  // namespace kawara::compiler
