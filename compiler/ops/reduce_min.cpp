// SPDX-License-Identifier: Apache-2.0
// ReduceMin: the least element over some dimensions.
#include "reduction.h"

namespace kawara::compiler {

const Operator reduce_min_operator = {
    .name = "ReduceMin",
    .kind = OperatorKind::root,
    .infer = infer_reduce,
    .lower = [](Lowering& lowering, const Node& group) { lower_reduce(lowering, group, {as_it_is, KAWARA_OP_red_min, as_it_is}); },
};

}  // namespace kawara::compiler
