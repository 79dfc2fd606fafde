// SPDX-License-Identifier: Apache-2.0
// ConvTranspose: one transposed `conv` command; the weights count input channels, then a group's output channels.
#include <algorithm>

#include "convolution.h"

namespace kawara::compiler {

namespace {

// ONNX lets output_shape or auto_pad decide the pads, and the pads the output.
Window window_of(const Inference& inference) {
  const Shape& shape = inference.shape(0);
  inference.require(shape.size() <= 5, fmt::format("the input must have 1 to 3 spatial dimensions, its rank is {}", shape.size()));
  const size_t rank = shape.size() - 2;
  Window window;
  window.in.assign(shape.begin() + 2, shape.end());
  window.kernel = kernel_of(inference.shape(1));
  window.stride = inference.attribute("strides", std::vector<int64_t>(rank, 1));
  window.dilation = inference.attribute("dilations", std::vector<int64_t>(rank, 1));
  const auto pads = inference.attribute("pads", std::vector<int64_t>(2 * rank, 0));
  const auto further = inference.attribute("output_padding", std::vector<int64_t>(rank, 0));
  const auto wanted = inference.attribute("output_shape", std::vector<int64_t>{});
  const std::string auto_pad = inference.attribute("auto_pad", std::string_view("NOTSET"));
  inference.require(window.stride.size() == rank && window.dilation.size() == rank && pads.size() == 2 * rank && further.size() == rank,
                    fmt::format("strides, dilations and output_padding need {} values, pads twice as many", rank));
  inference.require(wanted.empty() || wanted.size() == rank, fmt::format("output_shape must have {} values, got {}", rank, wanted.size()));
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  inference.require(same || auto_pad == "NOTSET" || auto_pad == "VALID",
                    fmt::format("auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER, got {}", auto_pad));
  for (size_t i = 0; i < rank; ++i) {
    require_steps(inference, window, i);
    const auto bounded = [&](int64_t value) { return value >= 0 && value <= kReachMax; };
    inference.require(bounded(pads[i]) && bounded(pads[rank + i]) && bounded(further[i]),
                      "pads and output_padding must be within 0 and 2^24");
    inference.require(window.in[i] >= 1, "the input's spatial dimensions must be at least 1");
    const int64_t whole = (window.in[i] - 1) * window.stride[i] + (window.kernel[i] - 1) * window.dilation[i] + 1 + further[i];
    int64_t begin = auto_pad == "NOTSET" ? pads[i] : 0, out = whole - (auto_pad == "NOTSET" ? pads[i] + pads[rank + i] : 0);
    if (same || !wanted.empty()) {
      out = wanted.empty() ? window.in[i] * window.stride[i] : wanted[i];
      const int64_t total = std::max<int64_t>(whole - out, 0);
      begin = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
    }
    inference.require(begin <= kReachMax, fmt::format("dimension {} of the output leaves more than 2^24 elements out", 2 + i));
    inference.require(out >= 1 && out <= kReachMax,
                      fmt::format("dimension {} of the output must be within 1 and 2^24, it is {}", 2 + i, out));
    window.pad.push_back(begin);
    window.out.push_back(out);
  }
  return window;
}

void infer(Inference& inference) {
  require_convolution(inference);
  const Shape &input = inference.shape(0), &weights = inference.shape(1);
  const int64_t groups = inference.attribute("group", int64_t{1});
  inference.require(groups >= 1 && weights[0] % groups == 0,
                    fmt::format("{} input channels must divide into {} groups", weights[0], groups));
  inference.require(input[1] == weights[0], fmt::format("the weights' {} input channels must be the input's {}", weights[0], input[1]));
  Shape output{input[0], element_count({weights[1], groups})};
  inference.require(!inference.has(2) || inference.shape(2) == Shape{output[1]}, "the bias must have one element for each output channel");
  const Window window = window_of(inference);
  output.insert(output.end(), window.out.begin(), window.out.end());
  inference.set(0, inference.dtype(0), std::move(output));
}

void lower(Lowering& lowering, const Node& group) {
  const Node& node = lowering.root(group);
  const Shape& weights = lowering.shape(node.inputs[1]);
  const int64_t groups = lowering.attribute(node, "group", int64_t{1});
  lower_convolution(lowering, group,
                    {.window = window_of(lowering.inference(node)),
                     .groups = groups,
                     .inputs = weights[0] / groups,
                     .outputs = weights[1],
                     .input_dimension = 0,
                     .output_dimension = 1,
                     .transposed = true});
}

}  // namespace

const Operator conv_transpose_operator = {.name = "ConvTranspose", .kind = OperatorKind::root, .infer = infer, .lower = lower};

}  // namespace kawara::compiler
