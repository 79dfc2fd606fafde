// SPDX-License-Identifier: Apache-2.0
// Identity: the input. The pass remove_identity takes it out where it can.
#include "view.h"

namespace kawara::compiler {

const Operator identity_operator = {
    .name = "Identity",
    .kind = OperatorKind::view,
    .infer = [](Inference& inference) { inference.set(0, inference.dtype(0), inference.shape(0)); },
    .view = reshape_node_view,
};

}  // namespace kawara::compiler
