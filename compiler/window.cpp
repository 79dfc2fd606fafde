// SPDX-License-Identifier: Apache-2.0
#include "window.h"

#include <algorithm>

#include "kawara/error.h"

namespace kawara::compiler {

namespace {

constexpr int64_t kStepMax = 0xffff;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

void require_steps(const Inference& inference, const Window& window, size_t i) {
  const auto is_step = [](int64_t value) { return value >= 1 && value <= kStepMax; };
  inference.require(is_step(window.stride[i]) && is_step(window.dilation[i]), "strides and dilations must be within 1 and 65535");
  inference.require(window.kernel[i] >= 1 && window.kernel[i] <= kReachMax && window.in[i] <= kReachMax,
                    "kernel and spatial extents must be within 1 and 2^24");
}

Window infer_window(const Inference& inference, std::vector<int64_t> kernel) {
  const Shape& shape = inference.shape(0);
  inference.require(shape.size() >= 3 && shape.size() <= 5,
                    fmt::format("the input must have 1 to 3 spatial dimensions, its rank is {}", shape.size()));
  const size_t rank = shape.size() - 2;
  Window window;
  window.in.assign(shape.begin() + 2, shape.end());
  window.kernel = std::move(kernel);
  window.stride = inference.attribute("strides", std::vector<int64_t>(rank, 1));
  window.dilation = inference.attribute("dilations", std::vector<int64_t>(rank, 1));
  auto pads = inference.attribute("pads", std::vector<int64_t>(2 * rank, 0));
  const std::string auto_pad = inference.attribute("auto_pad", std::string_view("NOTSET"));
  const bool ceil_mode = inference.attribute("ceil_mode", int64_t{0}) != 0;
  inference.require(
      window.kernel.size() == rank && window.stride.size() == rank && window.dilation.size() == rank && pads.size() == 2 * rank,
      fmt::format("kernel, strides and dilations need {} values, pads twice as many", rank));
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  inference.require(same || auto_pad == "NOTSET" || auto_pad == "VALID",
                    fmt::format("auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER, got {}", auto_pad));
  if (auto_pad == "VALID") pads.assign(2 * rank, 0);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t step = window.stride[i], dilation = window.dilation[i];
    require_steps(inference, window, i);
    const int64_t reach = (window.kernel[i] - 1) * dilation + 1;
    if (same) {
      const int64_t total = std::max<int64_t>((divide_up(window.in[i], step) - 1) * step + reach - window.in[i], 0);
      pads[i] = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
      pads[rank + i] = total - pads[i];
    }
    inference.require(pads[i] >= 0 && pads[rank + i] >= 0 && pads[i] <= kReachMax && pads[rank + i] <= kReachMax,
                      "pads must be within 0 and 2^24");
    const int64_t padded = window.in[i] + pads[i] + pads[rank + i];
    inference.require(padded >= reach, fmt::format("the kernel reaches over {} elements of a padded input of {}", reach, padded));
    int64_t out = (ceil_mode ? divide_up(padded - reach, step) : (padded - reach) / step) + 1;
    // A window that starts behind the input sees nothing of it.
    if (ceil_mode && (out - 1) * step >= window.in[i] + pads[i]) --out;
    window.out.push_back(out);
    window.pad.push_back(pads[i]);
    window.padded.push_back(padded);
  }
  return window;
}

Window window_of(const Graph& graph, const Node& node, std::vector<int64_t> kernel) {
  // Inference changes the graph by set() alone, which this never calls.
  return infer_window(Inference(const_cast<Graph&>(graph), node), std::move(kernel));
}

}  // namespace kawara::compiler
