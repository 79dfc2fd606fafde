// SPDX-License-Identifier: Apache-2.0
// Conv: one `conv` command; the weights count output channels, then a group's input channels.
#include "convolution.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  require_convolution(inference);
  const Shape &input = inference.shape(0), &weights = inference.shape(1);
  const int64_t groups = inference.attribute("group", int64_t{1});
  inference.require(groups >= 1 && weights[0] % groups == 0,
                    fmt::format("{} output channels must divide into {} groups", weights[0], groups));
  inference.require(input[1] == weights[1] * groups,
                    fmt::format("{} groups of {} channels must be the input's {}", groups, weights[1], input[1]));
  inference.require(!inference.has(2) || inference.shape(2) == Shape{weights[0]}, "the bias must have one element for each output channel");
  const Window window = infer_window(inference, kernel_of(weights));
  Shape output{input[0], weights[0]};
  output.insert(output.end(), window.out.begin(), window.out.end());
  inference.set(0, inference.dtype(0), std::move(output));
}

void lower(Lowering& lowering, const Node& group) {
  const Node& node = lowering.root(group);
  const Shape& weights = lowering.shape(node.inputs[1]);
  const int64_t groups = lowering.attribute(node, "group", int64_t{1});
  lower_convolution(lowering, group,
                    {.window = window_of(lowering.graph(), node, kernel_of(weights)),
                     .groups = groups,
                     .inputs = weights[1],
                     .outputs = weights[0] / groups});
}

}  // namespace

const Operator conv_operator = {.name = "Conv", .kind = OperatorKind::root, .infer = infer, .lower = lower};

}  // namespace kawara::compiler
