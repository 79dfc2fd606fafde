// SPDX-License-Identifier: Apache-2.0
// HardSigmoid: max(0, min(1, alpha * a + beta)).
#include "elementwise.h"

namespace kawara::compiler {

const Operator hard_sigmoid_operator = {
    .name = "HardSigmoid",
    .kind = OperatorKind::elementwise,
    .infer =
        [](Inference& inference) {
          inference.attribute("alpha", 0.0f);  // is a float
          inference.attribute("beta", 0.0f);   // is a float
          infer_float(inference);
        },
    .point =
        [](Points& points, const Graph&, const Node& node, std::span<const Register> inputs) {
          const Register line = points.add(points.mul(inputs[0], points.constant(float_attribute(node, "alpha", 0.2f))),
                                           points.constant(float_attribute(node, "beta", 0.5f)));
          return points.max(points.constant(0.0f), points.min(points.constant(1.0f), line));
        },
};

}  // namespace kawara::compiler
