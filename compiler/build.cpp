// SPDX-License-Identifier: Apache-2.0
#include "build.h"

#include "emit.h"
#include "lowering.h"
#include "passes/passes.h"

namespace kawara::compiler {

Program build(Graph graph, const kawara_config& target, const PlanOptions& options, const Waiting& waiting) {
  run_portable_passes(graph, waiting);
  return build(PortableGraph{.graph = std::move(graph), .origin = {}}, target, options, waiting);
}

Program build(PortableGraph portable, const kawara_config& target, const PlanOptions& options, const Waiting& waiting) {
  Graph graph = portable.graph;
  run_chip_passes(graph, waiting);
  const Plan plan = make_plan(Lowering(graph).run(waiting), target, options, waiting);
  return emit(graph, plan.commands, plan.allocation, target, portable, waiting);
}

}  // namespace kawara::compiler
