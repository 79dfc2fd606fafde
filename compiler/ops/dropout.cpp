// SPDX-License-Identifier: Apache-2.0
// Dropout: outside training the input; the pass remove_identity takes it out where it can.
#include "view.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const Tensor* training = inference.constant(2);
  inference.require(!inference.has(2) || (training && training->dtype == DType::boolean && training->bytes.size() == 1 &&
                                          training->bytes[0] == std::byte{0}),
                    "training_mode must be constant false");
  const auto& outputs = inference.node().outputs;
  inference.require(outputs.size() < 2 || outputs[1] == kAbsent ||
                        (inference.graph().consumers(outputs[1]).empty() && !inference.graph().is_output(outputs[1])),
                    "the mask must not be used");
  inference.set(0, inference.dtype(0), inference.shape(0));
  inference.set(1, DType::boolean, inference.shape(0));
}

}  // namespace

const Operator dropout_operator = {.name = "Dropout", .kind = OperatorKind::view, .infer = infer, .view = reshape_node_view};

}  // namespace kawara::compiler
