// SPDX-License-Identifier: Apache-2.0
#include "passes/passes.h"
#include "precision.h"

namespace kawara::compiler {

bool widen_in_products(Graph& graph) {
  std::vector<ValueId> narrow(graph.values.size(), kAbsent);  // what a cast to f32 reads
  std::vector<uint32_t> uses(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (const ValueId input : node.inputs)
      if (input != kAbsent) ++uses[input];
    if (node.op != "Cast" || !node.domain.empty()) continue;
    const DType from = graph.values[node.inputs[0]].dtype;
    if (graph.values[node.outputs[0]].dtype == DType::f32 && (from == DType::f16 || from == DType::bf16))
      narrow[node.outputs[0]] = node.inputs[0];
  }
  for (const ValueId output : graph.outputs) ++uses[output];
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (!is_product(node)) continue;
    for (const size_t input : {0, 1}) {
      ValueId& operand = node.inputs.at(input);
      if (narrow[operand] == kAbsent) continue;
      --uses[operand];
      operand = narrow[operand];
      changed = true;
    }
  }
  std::erase_if(graph.nodes,
                [&](const Node& node) { return node.op == "Cast" && narrow[node.outputs[0]] != kAbsent && uses[node.outputs[0]] == 0; });
  return changed;
}

}  // namespace kawara::compiler
