// SPDX-License-Identifier: Apache-2.0
#include "pool.h"

#include <bit>

namespace kawara::compiler {

namespace {

std::vector<int64_t> loops_of(const Shape& input, const Window& window) {
  std::vector<int64_t> loops{input[0], input[1]};
  loops.insert(loops.end(), window.out.begin(), window.out.end());
  return loops;
}

}  // namespace

Pool::Pool(Lowering& lowering, const Node& node)
    : lowering_(lowering),
      node_(node),
      window_(window_of(lowering.graph(), node, lowering.attribute(node, "kernel_shape", std::vector<int64_t>{}))),
      section_(loops_of(lowering.shape(node.inputs[0]), window_), window_.kernel) {
  for (size_t i = 0; i < 2 + window_.in.size(); ++i) loop_of_.push_back(i);
}

Coordinate Pool::spatial(size_t dimension, int64_t stride, int64_t base, int64_t extent) const {
  Coordinate coordinate{.stride = stride, .extent = extent, .base = base, .coefficients = std::vector<int64_t>(section_.loops())};
  coordinate.coefficients[2 + dimension] = window_.stride[dimension];
  coordinate.coefficients[2 + window_.in.size() + dimension] = window_.dilation[dimension];
  return coordinate;
}

Stream Pool::taps(uint64_t pad) const {
  const View& from = lowering_.view(node_.inputs[0]);
  std::vector<int64_t> steps(section_.loops());
  steps[0] = from.strides[0];
  steps[1] = from.strides[1];
  const size_t rank = window_.in.size();
  // Only a dimension whose taps may leave the input needs a test, and so a coordinate of its own.
  for (size_t i = 0; i < rank; ++i) {
    if (window_.needs_pad(i)) continue;
    steps[2 + i] = from.strides[2 + i] * window_.stride[i];
    steps[2 + rank + i] = from.strides[2 + i] * window_.dilation[i];
  }
  Stream stream = section_.walk(from, lowering_.dtype(node_.inputs[0]), steps);
  stream.pad = pad;
  for (size_t i = 0; i < rank; ++i)
    if (window_.needs_pad(i)) stream.coordinates.push_back(spatial(i, from.strides[2 + i], -window_.pad[i], window_.in[i]));
  return stream;
}

Stream Pool::ones(bool count_pads) const {
  const float one = 1.0f;
  const View constant = lowering_.constant(Tensor::copy_of(DType::f32, {1}, std::as_bytes(std::span(&one, 1))));
  Stream stream{.dtype = DType::f32, .buffer = constant.buffer, .offset = constant.offset};
  for (size_t i = 0; i < window_.in.size(); ++i) {
    if (count_pads && window_.leaves_pad(i)) stream.coordinates.push_back(spatial(i, 0, 0, window_.padded[i]));
    if (!count_pads && window_.needs_pad(i)) stream.coordinates.push_back(spatial(i, 0, -window_.pad[i], window_.in[i]));
  }
  return stream;
}

void infer_pool(Inference& inference) {
  const Shape& input = inference.shape(0);
  const Window window = infer_window(inference, inference.attribute("kernel_shape", std::vector<int64_t>{}));
  Shape output{input[0], input[1]};
  output.insert(output.end(), window.out.begin(), window.out.end());
  inference.set(0, inference.dtype(0), std::move(output));
}

}  // namespace kawara::compiler
