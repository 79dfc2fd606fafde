// SPDX-License-Identifier: Apache-2.0
// FastGelu of com.microsoft: the GELU by tanh of a + bias; the bias may be left out.
#include "elementwise.h"
#include "gelu.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  if (!inference.has(1)) return infer_float(inference);
  infer_arithmetic(inference);
  inference.require(is_float(inference.dtype(0)) && bits(inference.dtype(0)) >= 16, "elements must be f32, f16 or bf16");
  inference.require(broadcast(inference) == inference.shape(0), "the bias must fit the shape of the input");
}

Register point(Points& points, const Graph&, const Node&, std::span<const Register> inputs) {
  const bool biased = inputs.size() > 1 && inputs[1].type != DType::none;
  return tanh_gelu(points, biased ? points.add(inputs[0], inputs[1]) : inputs[0]);
}

}  // namespace

const Operator fast_gelu_operator = {.name = "com.microsoft.FastGelu", .kind = OperatorKind::elementwise, .infer = infer, .point = point};

}  // namespace kawara::compiler
