// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "passes/passes.h"

namespace kawara::compiler {

namespace {

// What a normalisation does to channel c: x * factor[c] + term[c]. In double, so that folding rounds once.
struct Affine {
  std::vector<double> factor, term;
};

template <typename T>
T attribute(const Node& node, const char* name, T otherwise) {
  const auto found = node.attributes.find(name);
  return found == node.attributes.end() ? otherwise : std::get<T>(found->second);
}

Affine affine_of(const Graph& graph, const Node& node) {
  const auto parameter = [&](size_t input) { return graph.values[node.inputs[input]].constant->as<float>(); };
  const auto scale = parameter(1), bias = parameter(2), mean = parameter(3), variance = parameter(4);
  const double epsilon = attribute(node, "epsilon", 1e-5f);
  Affine affine;
  for (size_t c = 0; c < scale.size(); ++c) {
    affine.factor.push_back(scale[c] / std::sqrt(double{variance[c]} + epsilon));
    affine.term.push_back(bias[c] - mean[c] * affine.factor[c]);
  }
  return affine;
}

ValueId add_constant(Graph& graph, std::string name, Shape shape, std::span<const float> elements) {
  Tensor tensor = Tensor::copy_of(DType::f32, shape, std::as_bytes(elements));
  return graph.add_value({.name = std::move(name), .dtype = DType::f32, .shape = std::move(shape), .constant = std::move(tensor)});
}

const Tensor* constant_input(const Graph& graph, const Node& node, size_t input) {
  if (input >= node.inputs.size() || node.inputs[input] == kAbsent) return nullptr;
  const auto& constant = graph.values[node.inputs[input]].constant;
  return constant && constant->dtype == DType::f32 ? &*constant : nullptr;
}

// Weights times the factor of the channel that each belongs to: channel = index / inner % channels.
ValueId scale_weights(Graph& graph, const Node& node, const Affine& affine, int64_t inner) {
  const Tensor weights = *constant_input(graph, node, 1);
  const auto channels = static_cast<int64_t>(affine.factor.size());
  std::vector<float> scaled;
  for (int64_t i = 0; const float weight : weights.as<float>())
    scaled.push_back(static_cast<float>(weight * affine.factor[i++ / inner % channels]));
  return add_constant(graph, node.name + ".weights", weights.shape, scaled);
}

// (beta * bias) * factor + term, per channel.
ValueId scale_bias(Graph& graph, const Node& node, const Affine& affine, float beta) {
  const Tensor* bias = constant_input(graph, node, 2);
  std::vector<float> scaled;
  for (size_t c = 0; c < affine.factor.size(); ++c) {
    const double before = bias ? double{beta} * bias->as<float>()[bias->bytes.size() == sizeof(float) ? 0 : c] : 0;
    scaled.push_back(static_cast<float>(before * affine.factor[c] + affine.term[c]));
  }
  return add_constant(graph, node.name + ".bias", {static_cast<int64_t>(scaled.size())}, scaled);
}

// Folds into the node that computes the normalised value; false when that can't be done.
bool fold_into(Graph& graph, Node& node, const Affine& affine) {
  const auto channels = static_cast<int64_t>(affine.factor.size());
  const Tensor* weights = constant_input(graph, node, 1);
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kAbsent;
  const Tensor* bias = constant_input(graph, node, 2);
  if (!weights || (has_bias && !bias)) return false;
  if (bias && element_count(bias->shape) != channels && element_count(bias->shape) != 1) return false;
  if (bias && !bias->shape.empty() && bias->shape.back() != element_count(bias->shape)) return false;  // [M,1] of a Gemm
  int64_t inner = 0;
  if (node.op == "Conv" && weights->shape[0] == channels) inner = channels ? element_count(weights->shape) / channels : 1;
  if (node.op == "ConvTranspose" && weights->shape[1] == channels)  // with groups, a row is not all channels
    inner = element_count({weights->shape.begin() + 2, weights->shape.end()});
  if (node.op == "Gemm") inner = attribute(node, "transB", int64_t{0}) ? weights->shape[1] : 1;
  if (inner == 0) return false;
  const ValueId new_weights = scale_weights(graph, node, affine, inner);
  const ValueId new_bias = scale_bias(graph, node, affine, node.op == "Gemm" ? attribute(node, "beta", 1.0f) : 1.0f);
  node.inputs.resize(3);
  node.inputs[1] = new_weights;
  node.inputs[2] = new_bias;
  if (node.op == "Gemm") node.attributes.insert_or_assign("beta", 1.0f);
  return true;
}

// A product and a sum with constants that are broadcast over everything but the channels.
void expand(Graph& graph, const Node& node, const Affine& affine, std::vector<Node>& to) {
  const size_t rank = graph.values[node.inputs[0]].shape->size();
  Shape shape(rank > 1 ? rank - 1 : rank, 1);
  if (!shape.empty()) shape[0] = static_cast<int64_t>(affine.factor.size());
  const std::vector<float> factor(affine.factor.begin(), affine.factor.end()), term(affine.term.begin(), affine.term.end());
  const Value output = graph.values[node.outputs[0]];
  const ValueId product = graph.add_value({.name = node.name + ".product", .dtype = output.dtype, .shape = output.shape});
  // Before version 7 Mul and Add didn't broadcast.
  Node mul{.op = "Mul", .name = node.name, .opset = std::max<int64_t>(node.opset, 7), .debug_id = node.debug_id};
  Node add = mul;
  add.op = "Add";
  mul.inputs = {node.inputs[0], add_constant(graph, node.name + ".factor", shape, factor)};
  mul.outputs = {product};
  add.inputs = {product, add_constant(graph, node.name + ".term", shape, term)};
  add.outputs = {node.outputs[0]};
  to.push_back(std::move(mul));
  to.push_back(std::move(add));
}

}  // namespace

bool fold_batch_norm(Graph& graph) {
  std::vector<Node> result;
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (node.op != "BatchNormalization" || !node.domain.empty()) {
      result.push_back(std::move(node));
      continue;
    }
    changed = true;
    const Affine affine = affine_of(graph, node);
    // Nodes move out of the graph as the loop passes them: those before are in `result`, those behind in `graph`.
    size_t uses = graph.is_output(node.inputs[0]);
    for (const auto* nodes : {&result, &graph.nodes})
      for (const Node& other : *nodes)
        for (ValueId id : other.inputs) uses += id == node.inputs[0];
    Node* producer = nullptr;
    for (Node& other : result)
      if (other.outputs == std::vector{node.inputs[0]}) producer = &other;
    if (uses == 1 && producer && fold_into(graph, *producer, affine)) {
      producer->outputs = {node.outputs[0]};
      producer->absorbed.push_back(node.debug_id);
    } else {
      expand(graph, node, affine, result);
    }
  }
  graph.nodes = std::move(result);
  return changed;
}

}  // namespace kawara::compiler
