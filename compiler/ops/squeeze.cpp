// SPDX-License-Identifier: Apache-2.0
// Squeeze: drops dimensions of 1. Axes are an attribute before version 13, an input since.
#include <algorithm>

#include "kawara/error.h"
#include "view.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const Shape& input = inference.shape(0);
  std::vector<int64_t> given = inference.attribute("axes", std::vector<int64_t>{});
  if (inference.has(1)) given = inference.integers(1);
  const auto axes = inference.axes(given, input.size());
  Shape shape;
  for (size_t i = 0; i < input.size(); ++i) {
    const bool dropped = axes.empty() ? input[i] == 1 : std::ranges::find(axes, i) != axes.end();
    if (dropped) inference.require(input[i] == 1, fmt::format("dimension {} is {}, only 1 can be dropped", i, input[i]));
    if (!dropped) shape.push_back(input[i]);
  }
  inference.set(0, inference.dtype(0), std::move(shape));
}

}  // namespace

const Operator squeeze_operator = {.name = "Squeeze", .kind = OperatorKind::view, .infer = infer, .view = reshape_node_view};

}  // namespace kawara::compiler
