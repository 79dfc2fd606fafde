// SPDX-License-Identifier: Apache-2.0
// Groups keep the order of their first nodes, and an elementwise node joins the latest of the groups that compute its
// inputs. So every input of a group comes from an earlier group or from itself, and the groups stand in a valid order.
#include <algorithm>
#include <set>

#include "operator.h"
#include "passes/passes.h"

namespace kawara::compiler {

namespace {

// The chip's vector section has 8 inputs, 4 outputs and 256 instructions over 32 registers.
constexpr size_t kMostInputs = 8;
constexpr size_t kMostOutputs = 4;
constexpr size_t kMostNodes = 16;  // an operator takes a dozen instructions at most: sequences such as exp are one

struct Group {
  std::vector<Node> nodes = {};
  bool open = false;  // elementwise nodes may join
};

class Fusion {
 public:
  explicit Fusion(Graph& graph) : graph_(graph), group_of_(graph.values.size(), kNone), uses_(graph.values.size(), 0) {
    for (const Node& node : graph.nodes)
      for (ValueId id : node.inputs)
        if (id != kAbsent) ++uses_[id];
    for (ValueId id : graph.outputs) ++uses_[id];
  }

  bool run() {
    for (Node& node : graph_.nodes) place(std::move(node));
    const bool changed = groups_.size() != graph_.nodes.size();
    std::vector<Node> result;
    for (Group& group : groups_) result.push_back(finish(std::move(group)));
    graph_.nodes = std::move(result);
    return changed;
  }

 private:
  static constexpr size_t kNone = ~size_t{0};

  void place(Node node) {
    const Operator* op = node.body.empty() ? find_operator(node) : nullptr;
    const bool elementwise = op && op->kind == OperatorKind::elementwise;
    size_t latest = kNone;
    for (ValueId id : node.inputs)
      if (id != kAbsent && group_of_[id] != kNone && (latest == kNone || group_of_[id] > latest)) latest = group_of_[id];
    if (elementwise && latest != kNone && accepts(groups_[latest], node)) return add(latest, std::move(node));
    const bool open = op && node.outputs.size() == 1 && (elementwise || (op->kind == OperatorKind::root && op->epilogue));
    groups_.push_back({.open = open});
    add(groups_.size() - 1, std::move(node));
  }

  bool accepts(const Group& group, const Node& node) const {
    if (!group.open || group.nodes.size() >= kMostNodes) return false;
    if (graph_.values[group.nodes[0].outputs[0]].shape != graph_.values[node.outputs[0]].shape) return false;
    for (const Node& member : group.nodes)
      if (rounds(member) && std::ranges::find(node.inputs, member.outputs[0]) != node.inputs.end()) return false;
    return inputs_of(group, &node).size() <= kMostInputs && outputs_of(group, &node).size() <= kMostOutputs;
  }

  // A cast to a narrow float rounds where it is stored: what reads it must read the memory, not the register.
  bool rounds(const Node& node) const {
    const DType dtype = graph_.values[node.outputs[0]].dtype;
    return node.op == "Cast" && kind(dtype) == DTypeKind::FLOAT && bits(dtype) < 32;
  }

  // Values that a group (and one node more) reads from memory. One element that is constant becomes part of the program.
  std::set<ValueId> inputs_of(const Group& group, const Node* more) const {
    std::set<ValueId> defined, result;
    const auto visit = [&](const Node& node) {
      for (ValueId id : node.inputs)
        if (id != kAbsent && !defined.contains(id) && !is_number(id)) result.insert(id);
      defined.insert(node.outputs.begin(), node.outputs.end());
    };
    for (const Node& node : group.nodes) visit(node);
    if (more) visit(*more);
    return result;
  }

  bool is_number(ValueId id) const {
    const auto& constant = graph_.values[id].constant;
    return constant && element_count(constant->shape) == 1;
  }

  // Values that someone outside uses, or may use: nodes that come later count until they have joined.
  std::vector<ValueId> outputs_of(const Group& group, const Node* more) const {
    std::map<ValueId, uint32_t> inside;
    std::vector<ValueId> defined;
    const auto visit = [&](const Node& node) {
      for (ValueId id : node.inputs) ++inside[id];
      for (ValueId id : node.outputs)
        if (id != kAbsent) defined.push_back(id);
    };
    for (const Node& node : group.nodes) visit(node);
    if (more) visit(*more);
    std::erase_if(defined, [&](ValueId id) { return uses_[id] <= inside[id]; });
    return defined;
  }

  void add(size_t group, Node node) {
    for (ValueId id : node.outputs)
      if (id != kAbsent) group_of_[id] = group;
    groups_[group].nodes.push_back(std::move(node));
  }

  Node finish(Group group) const {
    if (group.nodes.size() == 1) return std::move(group.nodes[0]);
    const Node& root = group.nodes[0];
    Node result{.op = "Group", .domain = "kawara", .name = root.name, .opset = 1, .debug_id = root.debug_id};
    std::set<ValueId> known;
    for (const Node& node : group.nodes) {
      for (ValueId id : node.inputs)
        if (id != kAbsent && known.insert(id).second) result.inputs.push_back(id);
      known.insert(node.outputs.begin(), node.outputs.end());
    }
    result.outputs = outputs_of(group, nullptr);
    result.body = std::move(group.nodes);
    return result;
  }

  Graph& graph_;
  std::vector<size_t> group_of_;  // the group that computes a value
  std::vector<uint32_t> uses_;
  std::vector<Group> groups_;
};

}  // namespace

bool fuse(Graph& graph) { return Fusion(graph).run(); }

}  // namespace kawara::compiler
