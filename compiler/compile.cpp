// SPDX-License-Identifier: Apache-2.0
// The public door of the compiler: from a file to a Program.
#include "kawara/compiler.h"

#include "emit.h"
#include "lowering.h"
#include "onnx/model.h"
#include "passes/passes.h"
#include "schedule.h"
#include "specialise.h"

namespace kawara {

Program compile(const std::filesystem::path& model, const CompileOptions& options) {
  const kawara_config& target = compiler::find_target(options.target);
  compiler::Graph graph = compiler::read_onnx(model);
  compiler::specialise(graph, {options.shapes.begin(), options.shapes.end()});
  compiler::run_passes(graph);
  compiler::Commands commands = compiler::Lowering(graph).run();
  const compiler::Allocation allocation = compiler::allocate(commands);
  compiler::schedule(commands, allocation);
  return compiler::emit(graph, commands, allocation, target);
}

}  // namespace kawara
