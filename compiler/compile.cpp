// SPDX-License-Identifier: Apache-2.0
// The public door of the compiler: from a file to a Program.
#include "build.h"
#include "emit.h"
#include "kawara/compiler.h"
#include "onnx/model.h"
#include "passes/passes.h"
#include "precision.h"
#include "specialise.h"

namespace kawara {

Program compile(const std::filesystem::path& model, const CompileOptions& options) {
  const kawara_config& target = compiler::find_target(options.target);
  compiler::require_precision(options.precision);
  const compiler::Waiting waiting(options.waiting);
  compiler::Graph graph = compiler::read_onnx(model);
  compiler::specialise(graph, {options.shapes.begin(), options.shapes.end()}, waiting);
  compiler::run_portable_passes(graph, waiting);
  compiler::narrow_products(graph, options.precision);
  return compiler::build(compiler::PortableGraph{.graph = std::move(graph), .origin = {}}, target, {}, waiting);
}

}  // namespace kawara
