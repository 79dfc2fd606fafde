// SPDX-License-Identifier: Apache-2.0
// What a pass asks of the nodes before a node, where it looks for a pattern that exporters write.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "graph.h"

namespace kawara::compiler {

// Who computes and who reads the values of a graph. It stays right while nodes change in place, as long as outputs keep their node.
class Pattern {
 public:
  explicit Pattern(const Graph& graph);

  // The node of ONNX's own domain that computes a value, if it is `op`.
  const Node* producer(ValueId value, std::string_view op) const;
  // Index of the one node that reads a value; nothing where several do, or the graph returns it.
  std::optional<size_t> only_consumer(ValueId value) const;
  // The value of an f32 constant of one element.
  std::optional<float> number(ValueId value) const;
  // Ascending axes of a Reduce operator that keeps its dimensions; empty for one that does not, or whose axes are not stated.
  std::vector<int64_t> kept_axes(const Node& reduce) const;
  // debug_id of the nodes between `last`, without it, and the values that a pattern takes in: those that `last` stands for from now on.
  std::vector<uint32_t> between(const Node& last, const std::vector<ValueId>& taken_in) const;

 private:
  const Graph& graph_;
  std::vector<size_t> producer_;                // per value
  std::vector<std::vector<size_t>> consumers_;  // per value, once for each time that it is read
};

}  // namespace kawara::compiler
