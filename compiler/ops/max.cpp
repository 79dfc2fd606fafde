// SPDX-License-Identifier: Apache-2.0
// Max: the greater of any number of inputs; NaN if one is NaN.
#include <algorithm>

#include "elementwise.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  infer_variadic(inference);
  inference.require(inference.dtype(0) != DType::u64, "u64 can't be compared: 64-bit registers are signed");
}

}  // namespace

const Operator max_operator = {
    .name = "Max",
    .kind = OperatorKind::elementwise,
    .infer = infer,
    .fold =
        [](const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
          return fold_points(graph, node, inputs, [](std::span<const int64_t> x) { return *std::ranges::max_element(x); }, nullptr);
        },
    .point =
        [](Points& points, const Graph&, const Node&, std::span<const Register> inputs) {
          Register result = inputs[0];
          for (const Register& input : inputs.subspan(1)) result = points.max(result, input);
          return result;
        },
};

}  // namespace kawara::compiler
