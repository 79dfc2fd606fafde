// SPDX-License-Identifier: Apache-2.0
// ReduceSum: the sum over some dimensions.
#include "reduction.h"

namespace kawara::compiler {

const Operator reduce_sum_operator = {
    .name = "ReduceSum",
    .kind = OperatorKind::root,
    .infer = infer_reduce,
    .lower = [](Lowering& lowering, const Node& group) { lower_reduce(lowering, group, {as_it_is, KAWARA_OP_red_add, as_it_is}); },
};

}  // namespace kawara::compiler
