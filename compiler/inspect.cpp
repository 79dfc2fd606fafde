// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "kawara/compiler.h"
#include "onnx/model.h"

namespace kawara {

namespace {

ModelTensor describe(const compiler::Value& value) {
  ModelTensor tensor{.name = value.name, .dtype = value.dtype, .shape = value.shape.value_or(compiler::Shape{}), .dimensions = {}};
  tensor.dimensions.resize(tensor.shape.size());
  for (size_t i = 0; i < std::min(tensor.shape.size(), value.dimension_names.size()); ++i)
    if (tensor.shape[i] < 0) tensor.dimensions[i] = value.dimension_names[i];
  return tensor;
}

}  // namespace

ModelInfo inspect(const std::filesystem::path& model) {
  const compiler::Graph graph = compiler::read_onnx(model);
  ModelInfo info{.name = graph.name,
                 .producer = graph.producer,
                 .ir_version = graph.ir_version,
                 .opsets = {graph.opsets.begin(), graph.opsets.end()},
                 .inputs = {},
                 .outputs = {},
                 .metadata = graph.metadata,
                 .operators = {},
                 .constant_bytes = 0};
  for (const compiler::ValueId id : graph.inputs) info.inputs.push_back(describe(graph.values[id]));
  for (const compiler::ValueId id : graph.outputs) info.outputs.push_back(describe(graph.values[id]));
  for (const compiler::Value& value : graph.values)
    if (value.constant) info.constant_bytes += value.constant->bytes.size();
  std::map<std::string, uint64_t> counts;
  for (const compiler::Node& node : graph.nodes) {
    ++counts[node.op];
    for (const auto& [name, attribute] : node.attributes)
      if (const auto* tensor = std::get_if<compiler::Tensor>(&attribute)) info.constant_bytes += tensor->bytes.size();
  }
  info.operators.assign(counts.begin(), counts.end());
  std::ranges::stable_sort(info.operators, [](const auto& a, const auto& b) { return a.second > b.second; });
  return info;
}

}  // namespace kawara
