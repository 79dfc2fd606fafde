// SPDX-License-Identifier: Apache-2.0
// From a specialised graph to a Program: passes, lowering, plan, emission.
#pragma once

#include "graph.h"
#include "kawara/hw/hw.h"
#include "kawara/program.h"
#include "plan.h"
#include "portable_graph.h"
#include "waiting.h"

namespace kawara::compiler {

Program build(Graph graph, const kawara_config& target, const PlanOptions& options = {}, const Waiting& waiting = {});
// From the graph that a program carries.
Program build(PortableGraph portable, const kawara_config& target, const PlanOptions& options = {}, const Waiting& waiting = {});

}  // namespace kawara::compiler
