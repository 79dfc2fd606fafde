// SPDX-License-Identifier: Apache-2.0
// Unsqueeze: inserts dimensions of 1. Axes are an attribute before version 13, an input since.
#include <algorithm>

#include "kawara/error.h"
#include "view.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const Shape& input = inference.shape(0);
  const auto given = inference.has(1) ? inference.integers(1) : inference.attribute("axes", std::vector<int64_t>{});
  inference.require(!given.empty(), "axes must be given");
  const size_t rank = input.size() + given.size();
  const auto axes = inference.axes(given, rank);
  Shape shape;
  for (size_t i = 0, next = 0; i < rank; ++i) shape.push_back(std::ranges::find(axes, i) != axes.end() ? 1 : input[next++]);
  inference.set(0, inference.dtype(0), std::move(shape));
}

}  // namespace

const Operator unsqueeze_operator = {.name = "Unsqueeze", .kind = OperatorKind::view, .infer = infer, .view = reshape_node_view};

}  // namespace kawara::compiler
