// SPDX-License-Identifier: Apache-2.0
// Floor: to the integer below.
#include <cmath>

#include "elementwise.h"

namespace kawara::compiler {

const Operator floor_operator = {
    .name = "Floor",
    .kind = OperatorKind::elementwise,
    .infer = infer_float,
    .fold =
        [](const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
          return fold_points(graph, node, inputs, nullptr, [](std::span<const float> x) { return std::floor(x[0]); });
        },
    .point = [](Points& points, const Graph&, const Node&,
                std::span<const Register> inputs) { return points.emit(KAWARA_OP_floor, DType::f32, inputs[0]); },
};

}  // namespace kawara::compiler
