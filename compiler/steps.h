// SPDX-License-Identifier: Apache-2.0
// What can be done to a graph before it is lowered, by name: `specialise`, the passes of passes.def, and narrow_products() as
// narrow_bf16 and narrow_f16.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph.h"
#include "specialise.h"

namespace kawara::compiler {

// Of what every compilation does, in its order.
std::vector<std::string_view> step_names();
// Throws invalid_argument for a name that is none of them, and lists those.
void require_step(std::string_view name);
// Throws as require_step() does, and what the step throws. The graph is verified behind each.
void run_step(std::string_view name, Graph& graph, const InputShapes& shapes = {});

}  // namespace kawara::compiler
