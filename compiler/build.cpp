// SPDX-License-Identifier: Apache-2.0
#include "build.h"

#include "emit.h"
#include "lowering.h"
#include "passes/passes.h"

namespace kawara::compiler {

Program build(Graph graph, const kawara_config& target, const PlanOptions& options) {
  run_portable_passes(graph);
  return build(PortableGraph{.graph = std::move(graph), .origin = {}}, target, options);
}

Program build(PortableGraph portable, const kawara_config& target, const PlanOptions& options) {
  Graph graph = portable.graph;
  run_chip_passes(graph);
  const Plan plan = make_plan(Lowering(graph).run(), target, options);
  return emit(graph, plan.commands, plan.allocation, target, portable);
}

}  // namespace kawara::compiler
