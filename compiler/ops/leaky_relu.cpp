// SPDX-License-Identifier: Apache-2.0
// LeakyRelu: a, or alpha * a where a is negative.
#include "elementwise.h"

namespace kawara::compiler {

const Operator leaky_relu_operator = {
    .name = "LeakyRelu",
    .kind = OperatorKind::elementwise,
    .infer =
        [](Inference& inference) {
          inference.attribute("alpha", 0.0f);  // is a float
          infer_float(inference);
        },
    .point =
        [](Points& points, const Graph&, const Node& node, std::span<const Register> inputs) {
          const Register negative = points.emit(KAWARA_OP_lt, DType::f32, inputs[0], points.constant(0.0f));
          const Register slope = points.mul(inputs[0], points.constant(float_attribute(node, "alpha", 0.01f)));
          return points.emit(KAWARA_OP_select, DType::f32, negative, slope, inputs[0]);
        },
};

}  // namespace kawara::compiler
