// SPDX-License-Identifier: Apache-2.0
// Log: the natural logarithm of a, by the chip's published sequence.
#include "elementwise.h"

namespace kawara::compiler {

const Operator log_operator = {
    .name = "Log",
    .kind = OperatorKind::elementwise,
    .infer = infer_float,
    .point = [](Points& points, const Graph&, const Node&,
                std::span<const Register> inputs) { return points.emit(KAWARA_OP_log, DType::f32, inputs[0]); },
};

}  // namespace kawara::compiler
