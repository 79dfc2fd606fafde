// SPDX-License-Identifier: Apache-2.0
// The passes of passes.def: each rewrites a specialised graph and leaves it valid.
#pragma once

#include <span>
#include <string_view>

#include "graph.h"
#include "waiting.h"

namespace kawara::compiler {

#define PASS(name, doc) bool name(Graph& graph);
#include "passes/passes.def"

struct Pass {
  std::string_view name, doc;
  bool (*run)(Graph&);
  bool portable = true;  // knows no chip
};

std::span<const Pass> passes();  // in the order in which they run
// The graph is verified after each.
void run_passes(Graph& graph, const Waiting& waiting = {});           // all of them
void run_portable_passes(Graph& graph, const Waiting& waiting = {});  // those that know no chip, which come first
void run_chip_passes(Graph& graph, const Waiting& waiting = {});      // the others

}  // namespace kawara::compiler
