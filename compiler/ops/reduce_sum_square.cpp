// SPDX-License-Identifier: Apache-2.0
// ReduceSumSquare: the sum of squares over some dimensions.
#include "reduction.h"

namespace kawara::compiler {

const Operator reduce_sum_square_operator = {
    .name = "ReduceSumSquare",
    .kind = OperatorKind::root,
    .infer = infer_reduce,
    .lower =
        [](Lowering& lowering, const Node& group) {
          lower_reduce(lowering, group,
                       {[](Points& points, Register element) { return points.mul(element, element); }, KAWARA_OP_red_add, as_it_is});
        },
};

}  // namespace kawara::compiler
