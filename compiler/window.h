// SPDX-License-Identifier: Apache-2.0
// How a kernel moves over the spatial dimensions of its input: what convolutions and pools share.
#pragma once

#include <cstdint>
#include <vector>

#include "operator.h"

namespace kawara::compiler {

inline constexpr int64_t kReachMax = 1 << 24;  // of extents, kernels and pads: what they add up to fits the chip's fields

// One value per spatial dimension; pad counts at the begin, `padded` is the input's extent with both pads.
struct Window {
  std::vector<int64_t> in, out, kernel, stride, dilation, pad, padded;

  // Whether a tap of dimension i can lie outside the input.
  bool needs_pad(size_t i) const { return pad[i] > 0 || last_tap(i) >= in[i]; }
  // Whether it can even lie outside the padded input (ceil_mode).
  bool leaves_pad(size_t i) const { return last_tap(i) >= padded[i] - pad[i]; }
  // Position in the input of the last tap of the last output.
  int64_t last_tap(size_t i) const { return (out[i] - 1) * stride[i] + (kernel[i] - 1) * dilation[i] - pad[i]; }
};

// The rules on kernel, stride, dilation and input of dimension i alone; throws unsupported.
void require_steps(const Inference& inference, const Window& window, size_t i);
// From the attributes strides, dilations, pads, auto_pad and ceil_mode; throws unsupported for what ONNX or the chip forbids.
Window infer_window(const Inference& inference, std::vector<int64_t> kernel);
// The same of a node that passed.
Window window_of(const Graph& graph, const Node& node, std::vector<int64_t> kernel);

}  // namespace kawara::compiler
