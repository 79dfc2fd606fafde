// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "passes/passes.h"

namespace kawara::compiler {

bool dead_code(Graph& graph) {
  std::vector<bool> needed(graph.values.size(), false);
  for (ValueId id : graph.outputs) needed[id] = true;
  std::vector<Node> kept;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    Node& node = graph.nodes[i];
    if (std::ranges::none_of(node.outputs, [&](ValueId id) { return id != kAbsent && needed[id]; })) continue;
    for (ValueId id : node.inputs)
      if (id != kAbsent) needed[id] = true;
    kept.push_back(std::move(node));
  }
  bool changed = kept.size() != graph.nodes.size();
  graph.nodes.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
  // Values keep their numbers; what they hold is given back.
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (needed[i] || !graph.values[i].constant) continue;
    graph.values[i].constant.reset();
    changed = true;
  }
  return changed;
}

}  // namespace kawara::compiler
