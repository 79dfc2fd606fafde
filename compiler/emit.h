// SPDX-License-Identifier: Apache-2.0
// The end of the compiler: commands with their addresses, as a Program.
#pragma once

#include <string_view>

#include "allocate.h"
#include "command.h"
#include "graph.h"
#include "kawara/program.h"
#include "portable_graph.h"
#include "waiting.h"

namespace kawara::compiler {

// A row of configs.def; throws invalid_argument for another name.
const kawara_config& find_target(std::string_view name);

// The program carries `portable`, the graph that `graph` was made from. Throws out_of_memory when the target's memory can't hold it, and
// internal when the chip would refuse the result.
Program emit(const Graph& graph, const Commands& model, const Allocation& allocation, const kawara_config& target,
             const PortableGraph& portable, const Waiting& waiting = {});

}  // namespace kawara::compiler
