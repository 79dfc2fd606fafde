// SPDX-License-Identifier: Apache-2.0
// The public door of the compiler: from a file to a Program.
#include "build.h"
#include "emit.h"
#include "kawara/compiler.h"
#include "onnx/model.h"
#include "specialise.h"

namespace kawara {

Program compile(const std::filesystem::path& model, const CompileOptions& options) {
  const kawara_config& target = compiler::find_target(options.target);
  const compiler::Waiting waiting(options.waiting);
  compiler::Graph graph = compiler::read_onnx(model);
  compiler::specialise(graph, {options.shapes.begin(), options.shapes.end()}, waiting);
  return compiler::build(std::move(graph), target, {}, waiting);
}

}  // namespace kawara
