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

void run(Graph& graph, bool portable, const Waiting& waiting) {
  for (const Pass& pass : passes()) {
    if (pass.portable != portable) continue;
    waiting.look();
    pass.run(graph);
    graph.verify();
  }
}

}  // namespace

void run_portable_passes(Graph& graph, const Waiting& waiting) { run(graph, true, waiting); }
void run_chip_passes(Graph& graph, const Waiting& waiting) { run(graph, false, waiting); }

void run_passes(Graph& graph, const Waiting& waiting) {
  run_portable_passes(graph, waiting);
  run_chip_passes(graph, waiting);
}

}  // namespace kawara::compiler
