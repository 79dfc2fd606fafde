// SPDX-License-Identifier: Apache-2.0
// Flatten: two dimensions, cut at an axis.
#include "kawara/error.h"
#include "view.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const Shape& input = inference.shape(0);
  // The axis may also be the rank itself: then the second dimension is 1.
  int64_t axis = inference.attribute("axis", int64_t{1});
  if (axis < 0) axis += static_cast<int64_t>(input.size());
  inference.require(axis >= 0 && axis <= static_cast<int64_t>(input.size()),
                    fmt::format("axis lies outside the {} dimensions", input.size()));
  const Shape outer(input.begin(), input.begin() + axis), inner(input.begin() + axis, input.end());
  inference.set(0, inference.dtype(0), {element_count(outer), element_count(inner)});
}

}  // namespace

const Operator flatten_operator = {.name = "Flatten", .kind = OperatorKind::view, .infer = infer, .view = reshape_node_view};

}  // namespace kawara::compiler
