// SPDX-License-Identifier: Apache-2.0
// ReduceL1: the sum of absolute values over some dimensions.
#include "reduction.h"

namespace kawara::compiler {

const Operator reduce_l1_operator = {
    .name = "ReduceL1",
    .kind = OperatorKind::root,
    .infer = infer_reduce,
    .lower =
        [](Lowering& lowering, const Node& group) {
          lower_reduce(lowering, group,
                       {[](Points& points, Register element) {
                          return element.type == DType::u32 ? element : points.emit(KAWARA_OP_abs, element.type, element);
                        },
                        KAWARA_OP_red_add, as_it_is});
        },
};

}  // namespace kawara::compiler
