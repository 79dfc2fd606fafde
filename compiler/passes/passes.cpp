// SPDX-License-Identifier: Apache-2.0
#include "passes/passes.h"

namespace kawara::compiler {

std::span<const Pass> passes() {
  static constexpr Pass rows[] = {
#define PASS(name, doc) {#name, doc, name},
#include "passes/passes.def"
  };
  return rows;
}

void run_passes(Graph& graph) {
  for (const Pass& pass : passes()) {
    pass.run(graph);
    graph.verify();
  }
}

}  // namespace kawara::compiler
