// SPDX-License-Identifier: Apache-2.0
#include "pattern.h"

#include <algorithm>

namespace kawara::compiler {

namespace {

constexpr size_t kNone = ~size_t{0};

}  // namespace

Pattern::Pattern(const Graph& graph) : graph_(graph), producer_(graph.values.size(), kNone), consumers_(graph.values.size()) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const ValueId id : graph.nodes[i].inputs)
      if (id != kAbsent) consumers_[id].push_back(i);
    for (const ValueId id : graph.nodes[i].outputs)
      if (id != kAbsent) producer_[id] = i;
  }
}

const Node* Pattern::producer(ValueId value, std::string_view op) const {
  if (value == kAbsent || value >= producer_.size() || producer_[value] == kNone) return nullptr;
  const Node& node = graph_.nodes[producer_[value]];
  return node.op == op && node.domain.empty() ? &node : nullptr;
}

std::optional<size_t> Pattern::only_consumer(ValueId value) const {
  if (value >= consumers_.size() || consumers_[value].size() != 1 || graph_.is_output(value)) return std::nullopt;
  return consumers_[value][0];
}

std::optional<float> Pattern::number(ValueId value) const {
  if (value == kAbsent) return std::nullopt;
  const auto& constant = graph_.values[value].constant;
  if (!constant || constant->dtype != DType::f32 || element_count(constant->shape) != 1) return std::nullopt;
  return constant->as<float>()[0];
}

std::vector<int64_t> Pattern::kept_axes(const Node& reduce) const {
  std::vector<int64_t> axes;
  const auto keep = reduce.attributes.find("keepdims");
  if (keep != reduce.attributes.end() && std::get<int64_t>(keep->second) == 0) return axes;
  if (const auto given = reduce.attributes.find("axes"); given != reduce.attributes.end()) {
    axes = std::get<std::vector<int64_t>>(given->second);
  } else if (reduce.inputs.size() > 1 && reduce.inputs[1] != kAbsent) {
    const auto& constant = graph_.values[reduce.inputs[1]].constant;
    if (constant && constant->dtype == DType::i64) axes.assign(constant->as<int64_t>().begin(), constant->as<int64_t>().end());
  }
  const auto rank = static_cast<int64_t>(graph_.values[reduce.inputs[0]].shape->size());
  for (int64_t& axis : axes)
    if (axis < 0) axis += rank;
  std::ranges::sort(axes);
  return axes;
}

std::vector<uint32_t> Pattern::between(const Node& last, const std::vector<ValueId>& taken_in) const {
  std::vector<uint32_t> ids;
  std::vector<size_t> seen;
  std::vector<ValueId> open = last.inputs;
  while (!open.empty()) {
    const ValueId value = open.back();
    open.pop_back();
    if (value == kAbsent || std::ranges::find(taken_in, value) != taken_in.end()) continue;
    if (producer_[value] == kNone || std::ranges::find(seen, producer_[value]) != seen.end()) continue;
    seen.push_back(producer_[value]);
    const Node& node = graph_.nodes[producer_[value]];
    ids.push_back(node.debug_id);
    open.insert(open.end(), node.inputs.begin(), node.inputs.end());
  }
  return ids;
}

}  // namespace kawara::compiler
