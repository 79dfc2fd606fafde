// SPDX-License-Identifier: Apache-2.0
// GlobalMaxPool: the greatest element of each channel.
#include "reduction.h"

namespace kawara::compiler {

const Operator global_max_pool_operator = {
    .name = "GlobalMaxPool",
    .kind = OperatorKind::root,
    .infer = infer_global_pool,
    .lower = [](Lowering& lowering, const Node& group) { lower_global_pool(lowering, group, {as_it_is, KAWARA_OP_red_max, as_it_is}); },
};

}  // namespace kawara::compiler
