// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "operator.h"
#include "passes/passes.h"
#include "view.h"

namespace kawara::compiler {

namespace {

bool is_identity(const Graph& graph, const Node& node) {
  if (node.op == "Identity" || node.op == "Dropout") return true;
  const Value& input = graph.values[node.inputs[0]];
  const Value& output = graph.values[node.outputs[0]];
  if (node.op == "Cast") return input.dtype == output.dtype;
  const Operator* op = find_operator(node);
  if (!op || !op->view || input.shape != output.shape) return false;
  const View dense = dense_view(*input.shape);
  const auto view = op->view(graph, node, dense);
  return view && view->offset == dense.offset && view->strides == dense.strides;
}

void replace(std::vector<ValueId>& ids, ValueId from, ValueId to) { std::ranges::replace(ids, from, to); }

// Gives every mention of a value to another.
void rename(std::vector<Node>& nodes, ValueId from, ValueId to) {
  for (Node& node : nodes) {
    replace(node.inputs, from, to);
    replace(node.outputs, from, to);
  }
}

}  // namespace

bool remove_identity(Graph& graph) {
  std::vector<Node> kept;
  std::vector<ValueId> replacement(graph.values.size());
  for (size_t i = 0; i < replacement.size(); ++i) replacement[i] = static_cast<ValueId>(i);
  const auto is_computed = [&](ValueId id) {
    return !graph.values[id].constant && std::ranges::find(graph.inputs, id) == graph.inputs.end();
  };

  for (Node& node : graph.nodes) {
    for (ValueId& id : node.inputs)
      if (id != kAbsent) id = replacement[id];
    if (node.inputs.empty() || !node.body.empty() || !is_identity(graph, node)) {
      kept.push_back(std::move(node));
      continue;
    }
    const ValueId input = node.inputs[0], output = node.outputs[0];
    if (!graph.is_output(output)) {
      replacement[output] = input;
    } else if (is_computed(input) && !graph.is_output(input)) {
      // The output of the graph keeps its name: the node before computes it directly.
      rename(kept, input, output);
      for (ValueId& id : replacement)
        if (id == input) id = output;
    } else {
      kept.push_back(std::move(node));  // an input or constant that is an output, or one value that is two: a copy
    }
  }
  const bool changed = kept.size() != graph.nodes.size();
  graph.nodes = std::move(kept);
  return changed;
}

}  // namespace kawara::compiler
