// SPDX-License-Identifier: Apache-2.0
// Turns a graph into commands, node by node: the operator emits its command, and the elementwise nodes of its group become
// the microcode at the end of it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "graph.h"
#include "operator.h"
#include "section.h"
#include "storage.h"
#include "waiting.h"

namespace kawara::compiler {

class Lowering {
 public:
  explicit Lowering(const Graph& graph) : graph_(graph), storage_(graph) {}

  // The whole graph. Throws unsupported, naming the node and the rule.
  Commands run(const Waiting& waiting = {});

  // For Operator::lower, on the group at hand --------------------------------------------------------------------------
  // The node of the operator: body[0] of a group, or the group itself.
  static const Node& root(const Node& group) { return group.body.empty() ? group : group.body.front(); }
  static bool has(const Node& node, size_t input) { return input < node.inputs.size() && node.inputs[input] != kAbsent; }
  const Graph& graph() const { return graph_; }
  const Shape& shape(ValueId value) const { return *graph_.values[value].shape; }
  DType dtype(ValueId value) const { return graph_.values[value].dtype; }
  const View& view(ValueId value) { return storage_.view(value); }
  View constant(Tensor tensor) { return storage_.create_constant(std::move(tensor)); }

  template <typename T>
  static T attribute(const Node& node, std::string_view name, T otherwise) {
    const auto found = node.attributes.find(std::string(name));
    return found == node.attributes.end() ? otherwise : std::get<T>(found->second);
  }

  // What inference found of a node that passed it: its rules read attributes and constants.
  Inference inference(const Node& node) const { return Inference(const_cast<Graph&>(graph_), node); }

  // Strides by which a value, broadcast to `shape`, moves along the loops; dimension i of `shape` is loop loop_of[i].
  std::vector<int64_t> strides(const View& view, const Shape& own, const Shape& shape, std::span<const size_t> loop_of, size_t loops) const;
  // Adds an input that is broadcast to `shape`, and loads it. A constant of one element becomes a constant of the program.
  Register load(Section& section, ValueId value, const Shape& shape, std::span<const size_t> loop_of);
  // Ends a section: runs the group's other nodes on the root's result and stores what the group yields. Dimension i of the
  // root's output is loop loop_of[i].
  void finish(Section& section, const Node& group, Register result, std::span<const size_t> loop_of);

  void vector(const Node& group, Section section);
  // `body` (of hw::blank) without its operands' data; a and b say where they lie.
  struct Operand {
    View view;
    DType dtype = DType::none;
    std::vector<int64_t> extents, strides;  // what the command may touch of it
  };
  void gemm(const Node& group, kawara_gemm body, const Operand& a, const Operand& b, Section section);
  void conv(const Node& group, kawara_conv body, const Operand& a, const Operand& b, Section section);
  // Copies elements of a shape from one view to another.
  void copy(const Node& node, kawara_engine engine, DType dtype, const Shape& shape, const View& from, const View& to);
  // Where the group's output shall lie; a node whose output already lies there has nothing to do.
  const View& place(ValueId value) { return storage_.place(value); }

 private:
  void lower(const Node& node);
  void lower_group(const Node& group);
  void lower_view(const Node& node, const Operator& op);
  std::pair<Node, Node> split(const Node& group) const;
  Register run_node(Section& section, const Node& node, const Shape& shape, std::span<const size_t> loop_of,
                    std::map<ValueId, Register>& known);
  void push(const Node& group, Command command);

  const Graph& graph_;
  Storage storage_;
  std::vector<Command> commands_;
};

}  // namespace kawara::compiler
