// SPDX-License-Identifier: Apache-2.0
// Size: the number of elements of a value.
#include "elementwise.h"

namespace kawara::compiler {

const Operator size_operator = {
    .name = "Size",
    .kind = OperatorKind::rewritten,
    .infer =
        [](Inference& inference) {
          inference.shape(0);
          inference.set(0, DType::i64, {});
        },
    .fold = [](const Graph& graph, const Node& node, std::span<const Tensor* const>) -> std::vector<Tensor> {
      const int64_t count[] = {element_count(*graph.values[node.inputs[0]].shape)};
      return {tensor_of(DType::i64, {}, count)};
    },
    .fold_from_shapes = true,
};

}  // namespace kawara::compiler
