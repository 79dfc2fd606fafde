// SPDX-License-Identifier: Apache-2.0
// Identity: the input. The pass remove_identity takes it out.
#include "operator.h"

namespace kawara::compiler {

const Operator identity_operator = {
    .name = "Identity",
    .kind = OperatorKind::rewritten,
    .infer = [](Inference& inference) { inference.set(0, inference.dtype(0), inference.shape(0)); },
    .fold = [](const Graph&, const Node&, std::span<const Tensor* const> inputs) -> std::vector<Tensor> { return {*inputs[0]}; },
};

}  // namespace kawara::compiler
