// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "elementwise.h"
#include "kawara/error.h"
#include "onnx/element_type.h"
#include "passes/passes.h"

namespace kawara::compiler {

namespace {

constexpr int64_t kOpset = 13;  // of the arithmetic

// Scale or zero point as f32, in a shape that is broadcast along the axis of the node.
ValueId parameter(Graph& graph, const Node& node, size_t input, const char* name) {
  const Tensor constant = *graph.values[node.inputs[input]].constant;
  std::vector<float> elements;
  if (constant.dtype == DType::f32)
    elements.assign(constant.as<float>().begin(), constant.as<float>().end());
  else
    for (const int64_t element : integers_of(constant)) elements.push_back(static_cast<float>(element));
  Shape shape;
  if (elements.size() != 1) {
    const auto rank = static_cast<int64_t>(graph.values[node.inputs[0]].shape->size());
    const auto given = node.attributes.find("axis");
    int64_t axis = given == node.attributes.end() ? 1 : std::get<int64_t>(given->second);
    if (axis < 0) axis += rank;
    shape.assign(static_cast<size_t>(rank - axis), 1);
    shape[0] = static_cast<int64_t>(elements.size());
  }
  Tensor tensor = Tensor::copy_of(DType::f32, shape, std::as_bytes(std::span(elements)));
  return graph.add_value({.name = node.name + name, .dtype = DType::f32, .shape = std::move(shape), .constant = std::move(tensor)});
}

void expand(Graph& graph, const Node& node, std::vector<Node>& to) {
  const auto shape = graph.values[node.outputs[0]].shape;
  const auto step = [&](const char* op, std::vector<ValueId> inputs, bool last) {
    Node part{.op = op, .name = node.name, .opset = kOpset, .inputs = std::move(inputs), .debug_id = node.debug_id};
    part.outputs = {last ? node.outputs[0]
                         : graph.add_value({.name = fmt::format("{}.{}", node.name, op), .dtype = DType::f32, .shape = shape})};
    to.push_back(std::move(part));
    return to.back().outputs[0];
  };
  ValueId value = step("Cast", {node.inputs[0]}, false);
  to.back().attributes["to"] = element_type_of(DType::f32);
  const bool shifted = node.inputs.size() > 2 && node.inputs[2] != kAbsent &&
                       std::ranges::any_of(integers_of(*graph.values[node.inputs[2]].constant), [](int64_t zero) { return zero != 0; });
  if (shifted) value = step("Sub", {value, parameter(graph, node, 2, ".zero")}, false);
  step("Mul", {value, parameter(graph, node, 1, ".scale")}, true);
}

}  // namespace

bool expand_dequantize(Graph& graph) {
  std::vector<Node> result;
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (node.op == "DequantizeLinear" && node.domain.empty()) {
      expand(graph, node, result);
      changed = true;
    } else {
      result.push_back(std::move(node));
    }
  }
  graph.nodes = std::move(result);
  return changed;
}

}  // namespace kawara::compiler
