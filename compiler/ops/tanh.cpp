// SPDX-License-Identifier: Apache-2.0
// Tanh: the hyperbolic tangent of a, by the chip's published sequence.
#include "elementwise.h"

namespace kawara::compiler {

const Operator tanh_operator = {
    .name = "Tanh",
    .kind = OperatorKind::elementwise,
    .infer = infer_float,
    .point = [](Points& points, const Graph&, const Node&,
                std::span<const Register> inputs) { return points.emit(KAWARA_OP_tanh, DType::f32, inputs[0]); },
};

}  // namespace kawara::compiler
