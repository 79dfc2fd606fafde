// SPDX-License-Identifier: Apache-2.0
// Slice: from start to end in steps, per axis. Attributes before version 10, constant inputs since.
#include <algorithm>

#include "elementwise.h"
#include "kawara/error.h"
#include "view.h"

namespace kawara::compiler {

namespace {

struct Range {
  int64_t start = 0, step = 1, count = 0;
};

std::vector<int64_t> parameter(const Graph& graph, const Node& node, size_t input, const char* attribute) {
  if (node.opset < 10) {
    const auto found = node.attributes.find(attribute);
    return found == node.attributes.end() ? std::vector<int64_t>{} : std::get<std::vector<int64_t>>(found->second);
  }
  if (input >= node.inputs.size() || node.inputs[input] == kAbsent) return {};
  return integers_of(*graph.values[node.inputs[input]].constant);
}

// One range per dimension of the input; ends outside the dimension are clamped into it, as ONNX says.
std::vector<Range> ranges_of(const Graph& graph, const Node& node) {
  const Shape& shape = *graph.values[node.inputs[0]].shape;
  const auto starts = parameter(graph, node, 1, "starts"), ends = parameter(graph, node, 2, "ends");
  auto axes = parameter(graph, node, 3, "axes");
  const auto steps = parameter(graph, node, 4, "steps");
  std::vector<Range> ranges;
  for (int64_t dimension : shape) ranges.push_back({.count = dimension});
  for (size_t i = 0; i < starts.size(); ++i) {
    int64_t axis = axes.empty() ? static_cast<int64_t>(i) : axes[i];
    if (axis < 0) axis += static_cast<int64_t>(shape.size());
    if (shape[axis] == 0) continue;
    const int64_t extent = shape[axis], step = steps.empty() ? 1 : steps[i];
    const auto clamp = [&](int64_t at, int64_t low, int64_t high) { return std::clamp(at < 0 ? at + extent : at, low, high); };
    const int64_t start = step > 0 ? clamp(starts[i], 0, extent) : clamp(starts[i], 0, extent - 1);
    const int64_t end = step > 0 ? clamp(ends[i], 0, extent) : clamp(ends[i], -1, extent - 1);
    // In unsigned arithmetic, because a step may be the least integer.
    const int64_t distance = std::max<int64_t>(step > 0 ? end - start : start - end, 0);
    const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : -static_cast<uint64_t>(step);
    const auto count = static_cast<int64_t>(distance / stride + (distance % stride != 0));
    ranges[axis] = {.start = start, .step = count > 1 ? step : 1, .count = count};
  }
  return ranges;
}

void infer(Inference& inference) {
  const Shape& shape = inference.shape(0);
  const Node& node = inference.node();
  if (node.opset < 10) {
    for (const char* name : {"starts", "ends", "axes"}) inference.attribute(name, std::vector<int64_t>{});  // are lists of integers
  } else {
    for (size_t i : {1, 2, 3, 4})
      if (i < 3 || inference.has(i)) inference.integers(i);
  }
  const auto starts = parameter(inference.graph(), node, 1, "starts"), ends = parameter(inference.graph(), node, 2, "ends");
  const auto axes = parameter(inference.graph(), node, 3, "axes"), steps = parameter(inference.graph(), node, 4, "steps");
  inference.require(starts.size() == ends.size() && (axes.empty() ? starts.size() <= shape.size() : axes.size() == starts.size()) &&
                        (steps.empty() || steps.size() == starts.size()),
                    "starts, ends, axes and steps must have one element per axis");
  inference.axes(axes, shape.size());
  for (int64_t step : steps) inference.require(step != 0, "a step is 0");
  Shape result;
  for (const Range& range : ranges_of(inference.graph(), node)) result.push_back(range.count);
  inference.set(0, inference.dtype(0), std::move(result));
}

std::optional<View> view(const Graph& graph, const Node& node, const View& input) {
  View result = input;
  const auto ranges = ranges_of(graph, node);
  for (size_t i = 0; i < ranges.size(); ++i) {
    result.offset += ranges[i].start * input.strides[i];
    result.strides[i] = ranges[i].step * input.strides[i];
  }
  return result;
}

}  // namespace

const Operator slice_operator = {.name = "Slice", .kind = OperatorKind::view, .infer = infer, .view = view};

}  // namespace kawara::compiler
