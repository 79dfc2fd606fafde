// SPDX-License-Identifier: Apache-2.0
// Round: to the nearest integer, ties to even.
#include "elementwise.h"

namespace kawara::compiler {

const Operator round_operator = {
    .name = "Round",
    .kind = OperatorKind::elementwise,
    .infer = infer_float,
    .point = [](Points& points, const Graph&, const Node&,
                std::span<const Register> inputs) { return points.emit(KAWARA_OP_rint, DType::f32, inputs[0]); },
};

}  // namespace kawara::compiler
