// SPDX-License-Identifier: Apache-2.0
// BiasGelu of com.microsoft: the GELU by erf of a + bias.
#include "elementwise.h"
#include "gelu.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  infer_arithmetic(inference);
  inference.require(is_float(inference.dtype(0)) && bits(inference.dtype(0)) >= 16, "elements must be f32, f16 or bf16");
  inference.require(broadcast(inference) == inference.shape(0), "the bias must fit the shape of the input");
}

Register point(Points& points, const Graph&, const Node&, std::span<const Register> inputs) {
  return gelu(points, points.add(inputs[0], inputs[1]));
}

}  // namespace

const Operator bias_gelu_operator = {.name = "com.microsoft.BiasGelu", .kind = OperatorKind::elementwise, .infer = infer, .point = point};

}  // namespace kawara::compiler
