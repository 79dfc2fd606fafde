// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "elementwise.h"
#include "passes/passes.h"

namespace kawara::compiler {

namespace {

// Every element is this number; for floats to the bit, because x + 0 turns -0 into 0 and x + -0 does not.
bool is_all(const Tensor& tensor, float number) {
  if (tensor.dtype == DType::f32)
    return std::ranges::all_of(tensor.as<float>(),
                               [&](float element) { return std::bit_cast<uint32_t>(element) == std::bit_cast<uint32_t>(number); });
  if (!is_integer(tensor.dtype) || bits(tensor.dtype) < 8) return false;
  return std::ranges::all_of(integers_of(tensor), [&](int64_t element) { return element == static_cast<int64_t>(number); });
}

// The input that the node hands through unchanged, if it does.
std::optional<ValueId> unchanged_input(const Graph& graph, const Node& node) {
  if (node.inputs.size() != 2 || node.inputs[0] == kAbsent || node.inputs[1] == kAbsent) return std::nullopt;
  for (size_t other : {1, 0}) {
    const Value& constant = graph.values[node.inputs[other]];
    const ValueId input = node.inputs[1 - other];
    if (!constant.constant || graph.values[input].shape != graph.values[node.outputs[0]].shape) continue;
    const bool commutes = node.op == "Mul" || node.op == "Add";
    if (other == 0 && !commutes) continue;
    if ((node.op == "Mul" || node.op == "Div") && is_all(*constant.constant, 1.0f)) return input;
    if (node.op == "Add" && is_all(*constant.constant, -0.0f)) return input;
    if (node.op == "Sub" && is_all(*constant.constant, 0.0f)) return input;
  }
  return std::nullopt;
}

}  // namespace

bool simplify_arithmetic(Graph& graph) {
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (!node.domain.empty()) continue;
    const auto input = unchanged_input(graph, node);
    if (!input) continue;
    node.op = "Identity";
    node.inputs = {*input};
    node.attributes.clear();
    changed = true;
  }
  if (changed) remove_identity(graph);
  return changed;
}

}  // namespace kawara::compiler
