// SPDX-License-Identifier: Apache-2.0
// Reshape: the same elements under another shape. 0 keeps a dimension, one -1 is computed.
#include "kawara/error.h"
#include "view.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const Shape& input = inference.shape(0);
  const bool zero_is_zero = inference.attribute("allowzero", int64_t{0}) != 0;
  const auto wanted = inference.node().opset < 5 ? inference.attribute("shape", std::vector<int64_t>{}) : inference.integers(1);
  Shape shape;
  std::optional<size_t> computed;
  for (size_t i = 0; i < wanted.size(); ++i) {
    inference.require(wanted[i] >= -1, fmt::format("dimension {} of the new shape is {}", i, wanted[i]));
    if (wanted[i] == -1) {
      inference.require(!computed, "only one dimension of the new shape may be -1");
      computed = i;
    }
    const bool keeps = wanted[i] == 0 && !zero_is_zero;
    if (keeps) inference.require(i < input.size(), fmt::format("dimension {} is to be kept, but the input has {}", i, input.size()));
    shape.push_back(wanted[i] == -1 ? 1 : keeps ? input[i] : wanted[i]);
  }
  const int64_t count = element_count(input), rest = element_count(shape);
  if (computed && rest > 0 && count % rest == 0) shape[*computed] = count / rest;
  inference.require(element_count(shape) == count && !(computed && rest == 0),
                    fmt::format("[{}] can't be reshaped to [{}]", fmt::join(input, ","), fmt::join(wanted, ",")));
  inference.set(0, inference.dtype(0), std::move(shape));
}

}  // namespace

const Operator reshape_operator = {.name = "Reshape", .kind = OperatorKind::view, .infer = infer, .view = reshape_node_view};

}  // namespace kawara::compiler
