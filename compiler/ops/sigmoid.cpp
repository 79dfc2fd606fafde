// SPDX-License-Identifier: Apache-2.0
// Sigmoid: 1 / (1 + exp(-a)).
#include "elementwise.h"

namespace kawara::compiler {

const Operator sigmoid_operator = {
    .name = "Sigmoid",
    .kind = OperatorKind::elementwise,
    .infer = infer_float,
    .point =
        [](Points& points, const Graph&, const Node&, std::span<const Register> inputs) {
          const Register one = points.constant(1.0f);
          const Register power = points.emit(KAWARA_OP_exp, DType::f32, points.emit(KAWARA_OP_neg, DType::f32, inputs[0]));
          return points.div(one, points.add(one, power));
        },
};

}  // namespace kawara::compiler
