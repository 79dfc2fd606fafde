// SPDX-License-Identifier: Apache-2.0
// ReduceProd: the product over some dimensions.
#include "reduction.h"

namespace kawara::compiler {

const Operator reduce_prod_operator = {
    .name = "ReduceProd",
    .kind = OperatorKind::root,
    .infer = infer_reduce,
    .lower = [](Lowering& lowering, const Node& group) { lower_reduce(lowering, group, {as_it_is, KAWARA_OP_red_mul, as_it_is}); },
};

}  // namespace kawara::compiler
