// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/conv_product.h"

#include <algorithm>

namespace kawara::emulator::vulkan {

Product conv_product(const kawara_conv& conv, const WidenedOperand& inputs, const WidenedOperand& weights) {
  Product product;
  product.is_transposed = conv.flags & KAWARA_CONV_TRANSPOSED;
  product.batches = {conv.N, conv.groups};
  product.rows = conv.OC;
  product.depth = conv.IC;
  std::ranges::copy(conv.out, product.out.begin());
  std::ranges::copy(conv.in, product.in.begin());
  std::ranges::copy(conv.kernel, product.taps.begin());
  std::ranges::copy(conv.stride, product.stride.begin());
  std::ranges::copy(conv.dilation, product.dilation.begin());
  std::ranges::copy(conv.pad, product.pad_begin.begin());
  product.pad = conv.pad_value;
  product.weights = weights.place;
  product.weights_batch = {0, weights.stride[0]};
  product.weights_row = weights.stride[1];
  product.weights_depth = weights.stride[2];
  product.weights_tap = {weights.stride[3], weights.stride[4], weights.stride[5]};
  product.inputs = inputs.place;
  product.inputs_batch = {inputs.stride[0], inputs.stride[1]};
  product.inputs_depth = inputs.stride[2];
  product.inputs_position = {inputs.stride[3], inputs.stride[4], inputs.stride[5]};
  return product;
}

Product point_product(const kawara_conv& conv, const WidenedOperand& inputs, const WidenedOperand& weights) {
  Product product;
  product.batches = {conv.N, conv.groups};
  product.rows = 1;
  product.depth = conv.IC;
  product.out[2] = product.in[2] = conv.OC;
  product.pad = conv.pad_value;
  product.weights = inputs.place;
  product.weights_batch = {inputs.stride[0], inputs.stride[1]};
  product.weights_depth = inputs.stride[2];
  product.inputs = weights.place;
  product.inputs_batch = {0, weights.stride[0]};
  product.inputs_depth = weights.stride[2];
  product.inputs_position = {0, 0, weights.stride[1]};
  return product;
}

uint64_t window_reach(const kawara_conv& conv, unsigned dim) {
  return uint64_t{conv.out[dim] - 1} * conv.stride[dim] + uint64_t{conv.kernel[dim] - 1} * conv.dilation[dim] + 1;
}

}  // namespace kawara::emulator::vulkan
