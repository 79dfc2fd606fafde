// SPDX-License-Identifier: Apache-2.0
// ReduceMean: the mean over some dimensions.
#include "reduction.h"

namespace kawara::compiler {

const Operator reduce_mean_operator = {
    .name = "ReduceMean",
    .kind = OperatorKind::root,
    .infer = infer_reduce,
    .lower = [](Lowering& lowering, const Node& group) { lower_reduce(lowering, group, {as_it_is, KAWARA_OP_red_add, mean}); },
};

}  // namespace kawara::compiler
