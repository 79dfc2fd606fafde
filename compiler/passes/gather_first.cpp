// SPDX-License-Identifier: Apache-2.0
// f(table, scale)[indices] becomes f(table[indices], scale[indices]): a large table of bytes is not widened at each run for a few rows.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "elementwise.h"
#include "kawara/error.h"
#include "operator.h"
#include "passes/passes.h"

namespace kawara::compiler {

namespace {

constexpr int64_t kOpset = 13;  // of the nodes that are added

const Operator* operator_of(const Node& node) { return node.body.empty() ? find_operator(node) : nullptr; }

bool is_gather(const Node& node) { return node.op == "Gather" && node.domain.empty() && node.body.empty(); }

const Node* producer(const Graph& graph, ValueId value) {
  if (value == kAbsent) return nullptr;
  const auto found =
      std::ranges::find_if(graph.nodes, [&](const Node& node) { return std::ranges::find(node.outputs, value) != node.outputs.end(); });
  return found == graph.nodes.end() ? nullptr : &*found;
}

// An elementwise node that can work on what is chosen, and the axis in its output's shape.
struct Step {
  Node node;
  size_t axis = 0;
  ValueId computed = kAbsent;  // the one input that is no constant
};

// Moves one Gather to where the work on its data begins.
class Move {
 public:
  Move(Graph& graph, const Node& gather) : graph_(graph), gather_(gather), indices_(gather.inputs[1]) {
    const auto given = gather.attributes.find("axis");
    int64_t axis = given == gather.attributes.end() ? 0 : std::get<int64_t>(given->second);
    if (axis < 0) axis += static_cast<int64_t>(shape(gather.inputs[0]).size());
    axis_ = static_cast<size_t>(axis);
    find_steps();
  }

  bool pays() const {
    if (steps_.empty()) return false;
    // What a root computes takes elementwise nodes along for nothing.
    const Node* first = producer(graph_, steps_.back().computed);
    const Operator* op = first ? operator_of(*first) : nullptr;
    return !op || op->kind != OperatorKind::root;
  }

  // The nodes that stand in the Gather's place.
  std::vector<Node> nodes() {
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) add_step(*step);
    Node& last = chain_.back();
    if (keeps_zero_ || graph_.values[indices_].constant)
      last.outputs = gather_.outputs;
    else
      add_zero_outside(last.outputs[0]);
    aside_.insert(aside_.end(), std::make_move_iterator(chain_.begin()), std::make_move_iterator(chain_.end()));
    return std::move(aside_);
  }

 private:
  const Shape& shape(ValueId value) const { return *graph_.values[value].shape; }

  // Steps from the data back to where they begin. Only Gathers may use the data, or all of it is needed anyway. (One that takes it as its
  // indices chooses as many elements, or more.)
  void find_steps() {
    int64_t chosen = 0;
    for (const size_t user : graph_.consumers(gather_.inputs[0])) {
      const Node& node = graph_.nodes[user];
      if (!is_gather(node)) return;
      chosen += element_count(shape(node.outputs[0]));
    }
    if (chosen >= element_count(shape(gather_.inputs[0]))) return;
    ValueId value = gather_.inputs[0];
    for (size_t axis = axis_; !graph_.is_output(value);) {
      const Node* node = producer(graph_, value);
      const auto step = node ? step_of(*node, axis) : std::nullopt;
      if (!step) return;
      steps_.push_back(*step);
      value = step->computed;
      if (value == kAbsent || graph_.consumers(value).size() != 1) return;
      axis -= shape(step->node.outputs[0]).size() - shape(value).size();
    }
  }

  std::optional<Step> step_of(const Node& node, size_t axis) const {
    const Operator* op = operator_of(node);
    if (!op || op->kind != OperatorKind::elementwise || node.outputs.size() != 1) return std::nullopt;
    Step step{.node = node, .axis = axis};
    for (const ValueId input : node.inputs) {
      if (input == kAbsent || graph_.values[input].constant) continue;
      if (!is_chosen(step, input) || (step.computed != kAbsent && step.computed != input)) return std::nullopt;
      step.computed = input;
    }
    return step;
  }

  // Where the axis is in an input's shape, if the input has it.
  std::optional<size_t> own_axis(const Step& step, ValueId input) const {
    const size_t missing = shape(step.node.outputs[0]).size() - shape(input).size();
    return step.axis >= missing ? std::optional(step.axis - missing) : std::nullopt;
  }

  // Whether an input differs along the axis; the others are broadcast over it.
  bool is_chosen(const Step& step, ValueId input) const {
    const auto axis = own_axis(step, input);
    return axis && shape(input)[*axis] == shape(step.node.outputs[0])[step.axis];
  }

  // A shape whose dimension `axis` is replaced by others.
  static Shape replaced(const Shape& from, size_t axis, const Shape& by) {
    Shape result(from.begin(), from.begin() + static_cast<int64_t>(axis));
    result.insert(result.end(), by.begin(), by.end());
    result.insert(result.end(), from.begin() + static_cast<int64_t>(axis) + 1, from.end());
    return result;
  }

  ValueId add_constant(std::string name, Tensor tensor) {
    Value value{.name = std::move(name), .dtype = tensor.dtype, .shape = tensor.shape};
    value.constant = std::move(tensor);
    return graph_.add_value(std::move(value));
  }

  ValueId add_node(std::vector<Node>& to, Node node, DType dtype, Shape shape) {
    node.outputs = {
        graph_.add_value({.name = fmt::format("{}.{}{}", gather_.name, node.op, named_++), .dtype = dtype, .shape = std::move(shape)})};
    to.push_back(std::move(node));
    return to.back().outputs[0];
  }

  // A node that reports count to the last step.
  Node beside(std::string op, std::vector<ValueId> inputs) const {
    const Node& step = steps_.front().node;
    return {.op = std::move(op), .name = step.name, .opset = kOpset, .inputs = std::move(inputs), .debug_id = step.debug_id};
  }

  // What the Gather chooses of the data where the steps begin, or of another input of a step.
  ValueId choose(const Step& step, ValueId from) {
    const bool is_data = chain_.empty() && (from == step.computed || step.computed == kAbsent);
    const size_t axis = *own_axis(step, from);
    Node node = gather_;
    if (!is_data) {
      node.name = step.node.name;
      node.debug_id = step.node.debug_id;
    }
    node.inputs[0] = from;
    node.attributes["axis"] = static_cast<int64_t>(axis);
    std::vector<Node>& to = is_data ? chain_ : aside_;
    const ValueId result = add_node(to, std::move(node), graph_.values[from].dtype, replaced(shape(from), axis, shape(indices_)));
    const auto& table = graph_.values[from].constant;
    const auto& indices = graph_.values[indices_].constant;
    if (!table || !indices) return result;
    const std::array<const Tensor*, 2> inputs{&*table, &*indices};
    graph_.values[result].constant = find_operator(to.back())->fold(graph_, to.back(), inputs).at(0);
    to.pop_back();
    return result;
  }

  // An input that is broadcast along the axis stays, with as many dimensions of 1 as there are dimensions of indices.
  ValueId stretch(const Step& step, ValueId input) {
    const auto axis = own_axis(step, input);
    const Shape ones(shape(indices_).size(), 1);
    if (!axis || ones.size() == 1) return input;
    Tensor tensor = *graph_.values[input].constant;
    tensor.shape = replaced(tensor.shape, *axis, ones);
    return add_constant(fmt::format("{}.{}", gather_.name, graph_.values[input].name), std::move(tensor));
  }

  void add_step(const Step& step) {
    keeps_zero_ = keeps_zero_ && keeps_zero(step);
    Node node = step.node;
    std::map<ValueId, ValueId> chosen;
    for (ValueId& input : node.inputs) {
      if (input == kAbsent) continue;
      if (!is_chosen(step, input)) {
        input = stretch(step, input);
      } else if (input == step.computed && moved_ != kAbsent) {
        input = moved_;
      } else {
        const auto [known, is_new] = chosen.emplace(input, kAbsent);
        if (is_new) known->second = choose(step, input);
        input = known->second;
      }
    }
    const Value& output = graph_.values[step.node.outputs[0]];
    moved_ = add_node(chain_, std::move(node), output.dtype, replaced(*output.shape, step.axis, shape(indices_)));
  }

  // An index outside gathers 0. Does the step make 0 of it again, to the bit?
  bool keeps_zero(const Step& step) const {
    if (!step.node.domain.empty()) return false;
    if (step.node.op == "Cast") return true;
    if (step.node.op != "Mul") return false;
    return std::ranges::all_of(step.node.inputs, [&](ValueId input) {
      if (is_chosen(step, input) || is_integer(graph_.values[input].dtype)) return true;
      if (graph_.values[input].dtype != DType::f32) return false;
      return std::ranges::all_of(graph_.values[input].constant->as<float>(),
                                 [](float factor) { return std::isfinite(factor) && !std::signbit(factor); });
    });
  }

  // Where(-extent <= indices < extent, chosen, 0), for steps that make something else of 0.
  void add_zero_outside(ValueId chosen) {
    const DType dtype = graph_.values[chosen].dtype, index_dtype = graph_.values[indices_].dtype;
    const auto number = [&](const char* name, int64_t value) {
      return add_constant(fmt::format("{}.{}", gather_.name, name), tensor_of(index_dtype, {}, {{value}}));
    };
    const Shape& data = shape(gather_.inputs[0]);
    const int64_t extent = data[axis_];
    ValueId indices = indices_;
    Shape aligned = shape(indices_);
    if (const size_t behind = data.size() - axis_ - 1; behind > 0) {
      aligned.resize(aligned.size() + behind, 1);
      const ValueId wanted = add_constant(gather_.name + ".shape", tensor_of(DType::i64, {static_cast<int64_t>(aligned.size())}, aligned));
      indices = add_node(aside_, beside("Reshape", {indices, wanted}), index_dtype, aligned);
    }
    const ValueId from = add_node(aside_, beside("GreaterOrEqual", {indices, number("least", -extent)}), DType::boolean, aligned);
    const ValueId to = add_node(aside_, beside("Less", {indices, number("extent", extent)}), DType::boolean, aligned);
    const ValueId inside = add_node(aside_, beside("And", {from, to}), DType::boolean, aligned);
    const std::vector<std::byte> zero(bytes_of(dtype, 1));
    const ValueId outside = add_constant(gather_.name + ".outside", Tensor::copy_of(dtype, {}, zero));
    chain_.push_back(beside("Where", {inside, chosen, outside}));
    chain_.back().outputs = gather_.outputs;
  }

  Graph& graph_;
  const Node gather_;
  const ValueId indices_;
  size_t axis_ = 0;          // in the data's shape, from the front
  std::vector<Step> steps_;  // the last comes first
  // The Gather of the data with the steps on it, and what they need beside it. That comes before, or fusion could not join the steps to
  // their Gather.
  std::vector<Node> chain_, aside_;
  size_t named_ = 0;         // numbers the values between them
  ValueId moved_ = kAbsent;  // the latest step's output in the chain
  bool keeps_zero_ = true;
};

}  // namespace

bool gather_first(Graph& graph) {
  bool changed = false;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!is_gather(graph.nodes[i])) continue;
    Move move(graph, graph.nodes[i]);
    if (!move.pays()) continue;
    std::vector<Node> nodes = move.nodes();
    const auto place = graph.nodes.erase(graph.nodes.begin() + static_cast<int64_t>(i));
    graph.nodes.insert(place, std::make_move_iterator(nodes.begin()), std::make_move_iterator(nodes.end()));
    i += nodes.size() - 1;
    changed = true;
  }
  return changed;
}

}  // namespace kawara::compiler
