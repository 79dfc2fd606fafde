// SPDX-License-Identifier: Apache-2.0
// What can be done to a graph before it is lowered, by name: `specialise`, and the passes of passes.def.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph.h"
#include "specialise.h"

namespace kawara::compiler {

// All names, in the order in which a compilation takes them.
std::vector<std::string_view> step_names();
// Throws invalid_argument for a name that is none of them, and lists those.
void require_step(std::string_view name);
// Throws as require_step() does, and what the step throws. The graph is verified behind each.
void run_step(std::string_view name, Graph& graph, const InputShapes& shapes = {});

}  // namespace kawara::compiler
