// SPDX-License-Identifier: Apache-2.0
// IsNaN: true where a is not a number.
#include "elementwise.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  infer_float(inference);
  inference.set(0, DType::boolean, inference.shape(0));
}

}  // namespace

const Operator is_nan_operator = {
    .name = "IsNaN",
    .kind = OperatorKind::elementwise,
    .infer = infer,
    .point = [](Points& points, const Graph&, const Node&,
                std::span<const Register> inputs) { return points.emit(KAWARA_OP_isnan, DType::f32, inputs[0]); },
};

}  // namespace kawara::compiler
