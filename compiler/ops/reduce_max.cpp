// SPDX-License-Identifier: Apache-2.0
// ReduceMax: the greatest element over some dimensions.
#include "reduction.h"

namespace kawara::compiler {

const Operator reduce_max_operator = {
    .name = "ReduceMax",
    .kind = OperatorKind::root,
    .infer = infer_reduce,
    .lower = [](Lowering& lowering, const Node& group) { lower_reduce(lowering, group, {as_it_is, KAWARA_OP_red_max, as_it_is}); },
};

}  // namespace kawara::compiler
