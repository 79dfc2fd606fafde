// SPDX-License-Identifier: Apache-2.0
#include "build.h"

#include "emit.h"
#include "lowering.h"
#include "passes/passes.h"
#include "schedule.h"

namespace kawara::compiler {

Program build(Graph graph, const kawara_config& target) {
  run_portable_passes(graph);
  return build(PortableGraph{.graph = std::move(graph), .origin = {}}, target);
}

Program build(PortableGraph portable, const kawara_config& target) {
  Graph graph = portable.graph;
  run_chip_passes(graph);
  Commands commands = Lowering(graph).run();
  const Allocation allocation = allocate(commands);
  schedule(commands, allocation);
  return emit(graph, commands, allocation, target, portable);
}

}  // namespace kawara::compiler
