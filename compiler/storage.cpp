// SPDX-License-Identifier: Apache-2.0
#include "storage.h"

#include <set>

#include "kawara/error.h"

namespace kawara::compiler {

std::vector<int64_t> dense_strides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

View part_of(const View& whole, size_t axis, int64_t start) {
  View part = whole;
  part.offset += start * whole.strides[axis];
  return part;
}

Storage::Storage(const Graph& graph) : graph_(graph), views_(graph.values.size()) { plan_concatenations(); }

// A piece can be written in place when a command computes it and no other concatenation has it. From the last node to the
// first, so that a concatenation that is itself a piece finds its place.
void Storage::plan_concatenations() {
  std::set<ValueId> computed;
  for (const Node& node : graph_.nodes) {
    const Operator* op = node.op == "Group" ? nullptr : find_operator(node);
    if (op && op->kind == OperatorKind::view) continue;
    computed.insert(node.outputs.begin(), node.outputs.end());
  }
  for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
    if (node->op != "Concat") continue;
    const Shape& shape = *graph_.values[node->outputs[0]].shape;
    const auto given = node->attributes.find("axis");
    int64_t axis = given == node->attributes.end() ? 1 : std::get<int64_t>(given->second);
    if (axis < 0) axis += static_cast<int64_t>(shape.size());
    int64_t start = 0;
    for (const ValueId piece : node->inputs) {
      if (computed.contains(piece)) parts_.try_emplace(piece, Part{node->outputs[0], static_cast<size_t>(axis), start});
      start += (*graph_.values[piece].shape)[static_cast<size_t>(axis)];
    }
  }
}

const View& Storage::view(ValueId value) {
  auto& view = views_[value];
  if (view) return *view;
  const Value& known = graph_.values[value];
  if (!known.constant) throw fail(Code::internal, "value '{}' is read before a command writes it", known.name);
  view = create_constant(*known.constant);
  return *view;
}

const View& Storage::place(ValueId value) {
  auto& view = views_[value];
  if (view) return *view;
  if (const auto part = parts_.find(value); part != parts_.end()) {
    view = part_of(place(part->second.whole), part->second.axis, part->second.start);
  } else {
    const Value& wanted = graph_.values[value];
    view = create(Buffer::Role::arena, wanted.dtype, *wanted.shape);
  }
  return *view;
}

void Storage::set(ValueId value, View view) { views_[value] = std::move(view); }

View Storage::create(Buffer::Role role, DType dtype, const Shape& shape, uint32_t index) {
  buffers_.push_back(
      {.role = role, .index = index, .size_bytes = bytes_of(dtype, static_cast<uint64_t>(element_count(shape))), .constant = {}});
  return {.buffer = static_cast<uint32_t>(buffers_.size() - 1), .offset = 0, .strides = dense_strides(shape)};
}

View Storage::create_constant(Tensor tensor) {
  View view = create(Buffer::Role::weights, tensor.dtype, tensor.shape);
  buffers_[view.buffer].constant = std::move(tensor);
  return view;
}

}  // namespace kawara::compiler
