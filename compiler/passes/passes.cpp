// SPDX-License-Identifier: Apache-2.0
#include "passes/passes.h"

namespace kawara::compiler {

std::span<const Pass> passes() {
  static constexpr Pass rows[] = {
#define PASS(name, doc) {#name, doc, name, true},
#define CHIP_PASS(name, doc) {#name, doc, name, false},
#include "passes/passes.def"
  };
  return rows;
}

namespace {

void run(Graph& graph, bool portable) {
  for (const Pass& pass : passes()) {
    if (pass.portable != portable) continue;
    pass.run(graph);
    graph.verify();
  }
}

}  // namespace

void run_portable_passes(Graph& graph) { run(graph, true); }
void run_chip_passes(Graph& graph) { run(graph, false); }

void run_passes(Graph& graph) {
  run_portable_passes(graph);
  run_chip_passes(graph);
}

}  // namespace kawara::compiler
