// SPDX-License-Identifier: Apache-2.0
// Sum: any number of inputs, added from the first to the last.
#include "elementwise.h"

namespace kawara::compiler {

const Operator sum_operator = {
    .name = "Sum",
    .kind = OperatorKind::elementwise,
    .infer = infer_arithmetic,
    .point =
        [](Points& points, const Graph& graph, const Node& node, std::span<const Register> inputs) {
          Register result = inputs[0];
          for (const Register& input : inputs.subspan(1)) result = points.add(result, input);
          return wrap(points, graph.values[node.outputs[0]].dtype, result);
        },
};

}  // namespace kawara::compiler
