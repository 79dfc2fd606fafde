// SPDX-License-Identifier: Apache-2.0
// The passes of passes.def: each rewrites a specialised graph and leaves it valid.
#pragma once

#include <span>
#include <string_view>

#include "graph.h"

namespace kawara::compiler {

#define PASS(name, doc) bool name(Graph& graph);
#include "passes/passes.def"

struct Pass {
  std::string_view name, doc;
  bool (*run)(Graph&);
};

std::span<const Pass> passes();  // in the order in which they run
void run_passes(Graph& graph);   // all of them; the graph is verified after each

}  // namespace kawara::compiler
