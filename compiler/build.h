// SPDX-License-Identifier: Apache-2.0
// From a specialised graph to a Program: passes, lowering, allocation, schedule, emission.
#pragma once

#include "graph.h"
#include "kawara/hw/hw.h"
#include "kawara/program.h"
#include "portable_graph.h"

namespace kawara::compiler {

Program build(Graph graph, const kawara_config& target);
// From the graph that a program carries.
Program build(PortableGraph portable, const kawara_config& target);

}  // namespace kawara::compiler
