// SPDX-License-Identifier: Apache-2.0
// Gelu, of ONNX and of com.microsoft: by erf, or by tanh where `approximate` asks for it.
#include "gelu.h"

#include "elementwise.h"
#include "kawara/error.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const std::string approximate = inference.attribute("approximate", std::string_view("none"));
  inference.require(approximate == "none" || approximate == "tanh", fmt::format("approximate must be none or tanh, got '{}'", approximate));
  infer_float(inference);
}

Register point(Points& points, const Graph&, const Node& node, std::span<const Register> inputs) {
  const auto given = node.attributes.find("approximate");
  const bool by_tanh = given != node.attributes.end() && std::get<std::string>(given->second) == "tanh";
  return by_tanh ? tanh_gelu(points, inputs[0]) : gelu(points, inputs[0]);
}

}  // namespace

const Operator gelu_operator = {.name = "Gelu", .kind = OperatorKind::elementwise, .infer = infer, .point = point};
const Operator microsoft_gelu_operator = {.name = "com.microsoft.Gelu", .kind = OperatorKind::elementwise, .infer = infer, .point = point};

}  // namespace kawara::compiler
