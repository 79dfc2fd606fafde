// SPDX-License-Identifier: Apache-2.0
// And: of booleans.
#include "elementwise.h"

namespace kawara::compiler {

const Operator logical_and_operator = {
    .name = "And",
    .kind = OperatorKind::elementwise,
    .infer = infer_logic,
    .fold =
        [](const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
          return fold_points(graph, node, inputs, [](std::span<const int64_t> x) { return x[0] & x[1]; }, nullptr);
        },
    .point = [](Points& points, const Graph&, const Node&,
                std::span<const Register> inputs) { return points.emit(KAWARA_OP_and, DType::u32, inputs[0], inputs[1]); },
};

}  // namespace kawara::compiler
