// SPDX-License-Identifier: Apache-2.0
// GlobalAveragePool: the mean of each channel.
#include "reduction.h"

namespace kawara::compiler {

const Operator global_average_pool_operator = {
    .name = "GlobalAveragePool",
    .kind = OperatorKind::root,
    .infer = infer_global_pool,
    .lower = [](Lowering& lowering, const Node& group) { lower_global_pool(lowering, group, {as_it_is, KAWARA_OP_red_add, mean}); },
};

}  // namespace kawara::compiler
