// SPDX-License-Identifier: Apache-2.0
#include "specialise.h"

#include <algorithm>

#include "kawara/error.h"
#include "operator.h"
#include "view.h"

namespace kawara::compiler {

namespace {

// Folded constants are for shapes and small moves; a model must not make us allocate more than this for one node.
constexpr int64_t kMostFoldedElements = int64_t{1} << 24;
constexpr size_t kMostListedNodes = 10;  // an error fits a screen

std::string text(const Value& input) {
  std::string dimensions;
  for (size_t i = 0; i < input.shape->size(); ++i) {
    const int64_t dimension = (*input.shape)[i];
    const bool named = i < input.dimension_names.size() && !input.dimension_names[i].empty();
    dimensions += fmt::format("{}{}", i ? "," : "", dimension >= 0 ? std::to_string(dimension) : named ? input.dimension_names[i] : "?");
  }
  return fmt::format("{}[{}]", name(input.dtype), dimensions);
}

// Names that exporters give to every dimension they don't know; two such dimensions may differ.
bool is_name(const std::string& name) { return !name.empty() && name != "?" && name != "None" && name != "-1"; }

void bind(Value& input, const Shape& given, std::map<std::string, int64_t>& dimensions) {
  if (!input.shape) input.shape = Shape(given.size(), -1);
  if (input.shape->size() != given.size())
    throw fail(Code::wrong_input, "input '{}' is {}, {} dimensions; got {}: [{}]", input.name, text(input), input.shape->size(),
               given.size(), fmt::join(given, ","));
  for (size_t i = 0; i < given.size(); ++i) {
    const int64_t declared = (*input.shape)[i];
    if (given[i] == -1) continue;
    if (given[i] < 0 || (declared >= 0 && declared != given[i]))
      throw fail(Code::wrong_input, "input '{}' is {}; dimension {} can't be {}", input.name, text(input), i, given[i]);
    if (i >= input.dimension_names.size() || !is_name(input.dimension_names[i])) continue;
    const auto [bound, first] = dimensions.emplace(input.dimension_names[i], given[i]);
    if (bound->second != given[i])
      throw fail(Code::wrong_input, "dimension '{}' is {} already; input '{}' can't make it {}", bound->first, bound->second, input.name,
                 given[i]);
  }
  for (size_t i = 0; i < given.size(); ++i)
    if (given[i] != -1) (*input.shape)[i] = given[i];
}

void bind_inputs(Graph& graph, const InputShapes& shapes) {
  std::vector<std::string> names;
  for (ValueId id : graph.inputs) names.push_back(graph.values[id].name);
  for (const auto& [name, shape] : shapes)
    if (std::ranges::find(names, name) == names.end())
      throw fail(Code::wrong_input, "the model has no input '{}'; it has '{}'", name, fmt::join(names, "', '"));

  std::map<std::string, int64_t> dimensions;
  for (ValueId id : graph.inputs)
    if (const auto given = shapes.find(graph.values[id].name); given != shapes.end()) bind(graph.values[id], given->second, dimensions);

  std::string missing;
  for (ValueId id : graph.inputs) {
    Value& input = graph.values[id];
    if (!input.shape) {
      missing += fmt::format("\n  input '{}': the model doesn't give the number of dimensions", input.name);
      continue;
    }
    Shape shape = *input.shape;
    for (size_t i = 0; i < shape.size(); ++i) {
      const std::string dimension = i < input.dimension_names.size() ? input.dimension_names[i] : "";
      if (shape[i] < 0 && is_name(dimension) && dimensions.contains(dimension)) shape[i] = dimensions[dimension];
      if (shape[i] < 0)
        missing += fmt::format("\n  input '{}' {}: dimension {}{}", input.name, text(input), i,
                               is_name(dimension) ? " ('" + dimension + "')" : "");
    }
    input.shape = std::move(shape);
  }
  if (!missing.empty()) throw fail(Code::shape_required, "the model leaves dimensions open:{}", missing);
  for (ValueId id : graph.inputs) {
    graph.values[id].dimension_names.clear();
    element_count(*graph.values[id].shape);
  }
}

// A view operator on a constant.
std::vector<Tensor> move(const Graph& graph, const Node& node, const Operator& op, const Tensor& input) {
  if (bits(input.dtype) < 8) return {};
  const Shape& shape = *graph.values[node.outputs[0]].shape;
  const auto view = op.view(graph, node, dense_view(input.shape));
  if (!view) throw Error(Code::internal, fmt::format("{} '{}': a dense input has no view", node.op, node.name), node.name);
  return {gather(input, *view, shape)};
}

// Replaces the node's outputs by constants; false when an input isn't constant or the operator doesn't fold.
bool fold(Graph& graph, const Node& node, const Operator& op) {
  if (!op.fold && !op.view) return false;
  std::vector<const Tensor*> inputs;
  for (ValueId id : node.inputs) {
    const bool known = id != kAbsent && graph.values[id].constant;
    if (!known && id != kAbsent && !op.fold_from_shapes) return false;
    inputs.push_back(known ? &*graph.values[id].constant : nullptr);
  }
  for (ValueId id : node.outputs)
    if (id != kAbsent && element_count(*graph.values[id].shape) > kMostFoldedElements) return false;
  std::vector<Tensor> results = op.fold ? op.fold(graph, node, inputs) : move(graph, node, op, *inputs.at(0));
  if (results.empty()) return false;
  for (size_t i = 0; i < std::min(node.outputs.size(), results.size()); ++i)
    if (node.outputs[i] != kAbsent) graph.values[node.outputs[i]].constant = std::move(results.at(i));
  return true;
}

// Every point of the output has its point in the input.
bool broadcasts(const Shape& input, const Shape& output) {
  if (input.size() > output.size()) return false;
  const size_t missing = output.size() - input.size();
  for (size_t i = 0; i < input.size(); ++i)
    if (input[i] != 1 && input[i] != output[missing + i]) return false;
  return true;
}

// An input beyond those that the operator's rules know was looked at by none of them.
void require_broadcast(const Inference& inference, const Shape& output) {
  for (size_t i = 0; i < inference.node().inputs.size(); ++i)
    inference.require(!inference.has(i) || broadcasts(inference.shape(i), output),
                      fmt::format("input {} can't be broadcast to the output; it may have more inputs than Kawara knows of", i));
}

}  // namespace

void specialise(Graph& graph, const InputShapes& shapes, const Waiting& waiting) {
  const auto refusals = try_specialise(graph, shapes, waiting);
  if (refusals.empty()) return;
  std::string message = fmt::format("{} of the model's nodes can't run on the chip:", refusals.size());
  for (size_t i = 0; i < std::min(refusals.size(), kMostListedNodes); ++i) message += "\n  " + refusals[i].sentence;
  if (refusals.size() > kMostListedNodes) message += fmt::format("\n  and {} more", refusals.size() - kMostListedNodes);
  throw Error(Code::unsupported, message, refusals[0].node);
}

std::vector<Refusal> try_specialise(Graph& graph, const InputShapes& shapes, const Waiting& waiting) {
  bind_inputs(graph, shapes);
  std::vector<Refusal> refusals;
  const auto refuse = [&](const Node& node, std::string sentence) { refusals.push_back({node.debug_id, node.name, std::move(sentence)}); };
  std::vector<Node> kept;
  std::vector<bool> known(graph.values.size(), false);
  for (ValueId id : graph.inputs) known[id] = true;
  for (size_t i = 0; i < graph.values.size(); ++i)
    if (graph.values[i].constant) known[i] = true;

  for (Node& node : graph.nodes) {
    waiting.look();
    const Operator* op = find_operator(node);
    if (!op) {
      refuse(node, fmt::format("{}{}{} '{}': Kawara has no such operator; export the model without it", node.domain,
                               node.domain.empty() ? "" : ".", node.op, node.name));
      continue;
    }
    // Behind a refused node nothing is known: its consumers are silent, the others still speak.
    if (!std::ranges::all_of(node.inputs, [&](ValueId id) { return id == kAbsent || known[id]; })) continue;
    try {
      Inference inference(graph, node);
      inference.require(node.outputs.at(0) != kAbsent, "its first output must have a name");
      op->infer(inference);
      for (ValueId id : node.outputs)
        inference.require(id == kAbsent || graph.values[id].shape.has_value(), "it has more outputs than Kawara knows of");
      if (op->kind == OperatorKind::elementwise) require_broadcast(inference, *graph.values[node.outputs[0]].shape);
    } catch (const Error& error) {
      if (error.code() != Code::unsupported) throw;
      refuse(node, error.what());
      continue;
    }
    for (ValueId id : node.outputs)
      if (id != kAbsent) known[id] = true;
    if (fold(graph, node, *op)) continue;
    if (op->kind == OperatorKind::root && !op->lower)
      refuse(node, fmt::format("{} '{}': its inputs must be constant once the input shapes are known", node.op, node.name));
    kept.push_back(std::move(node));
  }
  if (!refusals.empty()) return refusals;
  graph.nodes = std::move(kept);
  graph.verify();
  return {};
}

}  // namespace kawara::compiler
