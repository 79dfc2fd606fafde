// SPDX-License-Identifier: Apache-2.0
#include "graph.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "kawara/error.h"

namespace kawara::compiler {

int64_t element_count(const Shape& shape) {
  constexpr int64_t kMost = int64_t{1} << 40;
  // A zero anywhere makes the product 0, but the other dimensions are still checked: strides are computed from them.
  int64_t product = 1, bound = 1;
  for (int64_t dimension : shape) {
    if (dimension < 0) throw fail(Code::invalid_model, "a dimension is {}; dimensions are 0 or more", dimension);
    if (dimension > kMost / bound) throw fail(Code::invalid_model, "shape [{}] has more than 2^40 elements", fmt::join(shape, ","));
    bound *= std::max<int64_t>(dimension, 1);
    product *= dimension;
  }
  return product;
}

Tensor Tensor::copy_of(DType dtype, Shape shape, std::span<const std::byte> bytes) {
  const uint64_t expected = bytes_of(dtype, element_count(shape));
  if (bytes.size() != expected)
    throw fail(Code::internal, "{}[{}] takes {} bytes, got {}", kawara::name(dtype), fmt::join(shape, ","), expected, bytes.size());
  // uint64_t, so that every element type finds its alignment.
  std::shared_ptr<uint64_t[]> copy(new uint64_t[(bytes.size() + 7) / 8 + 1]());
  if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
  const auto* begin = reinterpret_cast<const std::byte*>(copy.get());
  return {dtype, std::move(shape), {begin, bytes.size()}, std::move(copy)};
}

ValueId Graph::add_value(Value value) {
  values.push_back(std::move(value));
  return static_cast<ValueId>(values.size() - 1);
}

std::vector<size_t> Graph::consumers(ValueId value) const {
  std::vector<size_t> result;
  for (size_t i = 0; i < nodes.size(); ++i)
    if (std::ranges::find(nodes[i].inputs, value) != nodes[i].inputs.end()) result.push_back(i);
  return result;
}

bool Graph::is_output(ValueId value) const { return std::ranges::find(outputs, value) != outputs.end(); }

namespace {

// Follows the definitions of one graph or body: what is defined so far, and by whom.
class Definitions {
 public:
  explicit Definitions(const Graph& graph) : graph_(graph) {}

  void define(ValueId id, const std::string& by) {
    check(id, by);
    if (is_defined(id)) throw fail(Code::internal, "'{}' defines value '{}', which is defined already", by, graph_.values[id].name);
    defined_.insert(id);
  }

  void use(ValueId id, const std::string& by) const {
    if (id == kAbsent) return;
    check(id, by);
    if (!is_defined(id))
      throw fail(Code::internal, "'{}' uses value '{}' before it is defined: undefined, or part of a cycle", by, graph_.values[id].name);
  }

  void run(const Node& node) {
    for (ValueId id : node.inputs) use(id, node.name);
    if (node.body.empty()) {
      for (ValueId id : node.outputs)
        if (id != kAbsent) define(id, node.name);
      return;
    }
    // The body sees the group's inputs (and constants) only, and defines the group's outputs.
    Definitions inside(graph_);
    for (ValueId id : node.inputs)
      if (id != kAbsent) inside.defined_.insert(id);
    for (const Node& part : node.body) {
      if (!part.body.empty()) throw fail(Code::internal, "group '{}' contains group '{}'", node.name, part.name);
      inside.run(part);
      for (ValueId id : part.outputs)
        if (id != kAbsent) define(id, part.name);
    }
    for (ValueId id : node.outputs) inside.use(id, node.name);
  }

 private:
  void check(ValueId id, const std::string& by) const {
    if (id >= graph_.values.size()) throw fail(Code::internal, "'{}' names value {} of {}", by, id, graph_.values.size());
  }

  bool is_defined(ValueId id) const { return graph_.values[id].constant || defined_.contains(id); }

  const Graph& graph_;
  std::unordered_set<ValueId> defined_;  // besides the constants; not a flag for each value, or every group would cost as much as the graph
};

}  // namespace

void Graph::verify() const {
  Definitions definitions(*this);
  for (ValueId id : inputs) definitions.define(id, "inputs");
  for (const Node& node : nodes) definitions.run(node);
  for (ValueId id : outputs) definitions.use(id, "outputs");
}

}  // namespace kawara::compiler
