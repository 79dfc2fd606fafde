// SPDX-License-Identifier: Apache-2.0
// Exp: e to the power a, by the chip's published sequence.
#include "elementwise.h"

namespace kawara::compiler {

const Operator exp_operator = {
    .name = "Exp",
    .kind = OperatorKind::elementwise,
    .infer = infer_float,
    .point = [](Points& points, const Graph&, const Node&,
                std::span<const Register> inputs) { return points.emit(KAWARA_OP_exp, DType::f32, inputs[0]); },
};

}  // namespace kawara::compiler
