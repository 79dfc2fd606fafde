// SPDX-License-Identifier: Apache-2.0
// ReduceL2: the square root of the sum of squares over some dimensions.
#include "elementwise.h"
#include "reduction.h"

namespace kawara::compiler {

const Operator reduce_l2_operator = {
    .name = "ReduceL2",
    .kind = OperatorKind::root,
    .infer =
        [](Inference& inference) {
          inference.require(is_float(inference.dtype(0)), fmt::format("elements must be floats, got {}", name(inference.dtype(0))));
          infer_reduce(inference);
        },
    .lower =
        [](Lowering& lowering, const Node& group) {
          lower_reduce(lowering, group,
                       {[](Points& points, Register element) { return points.mul(element, element); }, KAWARA_OP_red_add,
                        [](Points& points, Register sum, int64_t) { return points.emit(KAWARA_OP_sqrt, sum.type, sum); }});
        },
};

}  // namespace kawara::compiler
