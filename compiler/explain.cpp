// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "emit.h"
#include "kawara/compiler.h"
#include "kawara/error.h"
#include "lowering.h"
#include "onnx/model.h"
#include "passes/passes.h"
#include "precision.h"
#include "specialise.h"

namespace kawara {

namespace {

constexpr std::string_view kRemoved = "removed";

std::string_view command_name(const compiler::Command& command) {
  static constexpr std::string_view kNames[] = {"vector", "gemm", "conv", "copy"};
  return kNames[command.body.index()];
}

std::string_view engine_name(const compiler::Command& command) {
  if (command.engine == KAWARA_ENGINE_ME) return "matrix";
  return command.engine == KAWARA_ENGINE_VE ? "vector" : "dma";
}

std::string operands_of(const compiler::Command& command) {
  const auto named = [](uint8_t a, uint8_t b) {
    const std::string left(name(static_cast<DType>(a))), right(name(static_cast<DType>(b)));
    return left == right ? left : fmt::format("{} by {}", left, right);
  };
  if (const auto* gemm = std::get_if<kawara_gemm>(&command.body)) return named(gemm->a.dtype, gemm->b.dtype);
  if (const auto* conv = std::get_if<kawara_conv>(&command.body)) return named(conv->a_dtype, conv->b_dtype);
  return {};
}

// Rows by debug_id, which counts the model's nodes from 1.
class Placements {
 public:
  explicit Placements(const compiler::Graph& model) {
    for (const compiler::Node& node : model.nodes) {
      NodePlacement row;
      row.node = row.group = node.name;
      row.op = node.op;
      rows_.push_back(std::move(row));
    }
  }

  NodePlacement* find(uint32_t debug_id) { return debug_id == 0 || debug_id > rows_.size() ? nullptr : &rows_[debug_id - 1]; }

  void refuse(uint32_t debug_id, const std::string& sentence) {
    NodePlacement* row = find(debug_id);
    if (!row) return;
    row->supported = false;
    row->rule = sentence;
  }

  void refuse(const Error& error) {
    const auto row = std::ranges::find(rows_, error.node(), &NodePlacement::node);
    if (row == rows_.end()) throw error;
    row->supported = false;
    row->rule = error.what();
  }

  // Nodes that no pass has taken away, and those that cost nothing.
  void remain(const compiler::Node& node) {
    if (NodePlacement* row = find(node.debug_id)) row->command = "view";
    for (const compiler::Node& member : node.body) remain(member);
  }

  void run(const compiler::Command& command) {
    for (const uint32_t member : command.members) {
      NodePlacement* row = find(member);
      if (!row) continue;
      row->engine = engine_name(command);
      row->command = command_name(command);
      row->operands = operands_of(command);
      row->group = command.node;
    }
    for (const uint32_t absorbed : command.absorbed) {
      NodePlacement* row = find(absorbed);
      // One that something else reads too has its own command still; what several have absorbed is shown with the first.
      if (!row || (row->command != kRemoved && row->group != command.node)) continue;
      row->engine = engine_name(command);
      row->command = command_name(command);
      row->group = command.node;
    }
  }

  std::vector<NodePlacement> rows() && { return std::move(rows_); }

 private:
  std::vector<NodePlacement> rows_;
};

}  // namespace

std::vector<NodePlacement> explain(const std::filesystem::path& model, const CompileOptions& options) {
  compiler::find_target(options.target);
  compiler::require_precision(options.precision);
  const compiler::Waiting waiting(options.waiting);
  compiler::Graph graph = compiler::read_onnx(model);
  Placements placements(graph);
  const auto model_nodes = graph.nodes;
  const auto refusals = compiler::try_specialise(graph, {options.shapes.begin(), options.shapes.end()}, waiting);
  for (const compiler::Refusal& refusal : refusals) placements.refuse(refusal.debug_id, refusal.sentence);
  if (!refusals.empty()) return std::move(placements).rows();  // the others were not lowered

  for (const compiler::Node& node : model_nodes) {
    const bool folded =
        std::ranges::all_of(node.outputs, [&](compiler::ValueId id) { return id == compiler::kAbsent || graph.values[id].constant; });
    if (NodePlacement* row = placements.find(node.debug_id)) row->command = folded ? "folded" : kRemoved;
  }
  compiler::run_portable_passes(graph, waiting);
  compiler::narrow_products(graph, options.precision);
  compiler::run_chip_passes(graph, waiting);
  for (const compiler::Node& node : graph.nodes) placements.remain(node);
  try {
    const compiler::Commands lowered = compiler::Lowering(graph).run(waiting);
    for (const compiler::Command& command : lowered.commands) placements.run(command);
  } catch (const Error& error) {
    if (error.code() != Code::unsupported) throw;
    placements.refuse(error);
  }
  return std::move(placements).rows();
}

}  // namespace kawara
