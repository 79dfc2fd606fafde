// SPDX-License-Identifier: Apache-2.0
#include "convolution.h"

namespace kawara::compiler {

std::vector<int64_t> kernel_of(const Shape& weights) { return {weights.begin() + 2, weights.end()}; }

void require_convolution(const Inference& inference) {
  const Shape &input = inference.shape(0), &weights = inference.shape(1);
  const DType dtype = inference.dtype(0);
  inference.require(dtype == DType::f32, fmt::format("elements must be f32, got {}", name(dtype)));
  inference.require(inference.dtype(1) == dtype && (!inference.has(2) || inference.dtype(2) == dtype),
                    "input, weights and bias must have one type");
  inference.require(weights.size() == input.size() && weights.size() >= 3,
                    fmt::format("the weights' rank must be the input's, {}, and at least 3", input.size()));
  inference.require(inference.attribute("kernel_shape", kernel_of(weights)) == kernel_of(weights), "kernel_shape must be the weights'");
}

void lower_convolution(Lowering& lowering, const Node& group, const Convolution& convolution) {
  const Node& node = lowering.root(group);
  const Shape &input = lowering.shape(node.inputs[0]), &weights = lowering.shape(node.inputs[1]), &output = lowering.shape(node.outputs[0]);
  const View &from = lowering.view(node.inputs[0]), &kernel = lowering.view(node.inputs[1]);
  const Window& window = convolution.window;
  const size_t rank = window.in.size(), unused = 3 - rank;

  auto body = hw::blank<kawara_conv>();
  body.N = extent_field(input[0]);
  body.groups = extent_field(convolution.groups);
  body.IC = extent_field(convolution.inputs);
  body.OC = extent_field(convolution.outputs);
  body.acc_dtype = KAWARA_DTYPE_f32;
  body.flags = convolution.transposed ? KAWARA_CONV_TRANSPOSED : 0;
  const int64_t channels_of_group = convolution.output_dimension == 0 ? convolution.outputs : convolution.inputs;
  const int64_t a_stride[3] = {from.strides[0], from.strides[1] * convolution.inputs, from.strides[1]};
  const int64_t b_stride[3] = {kernel.strides[0] * channels_of_group, kernel.strides[convolution.output_dimension],
                               kernel.strides[convolution.input_dimension]};
  std::copy_n(a_stride, 3, body.a_stride);
  std::copy_n(b_stride, 3, body.b_stride);
  std::vector<int64_t> loops{output[0], output[1], 1, 1, 1};
  std::vector<size_t> loop_of{0, 1};
  for (size_t i = 0; i < rank; ++i) {
    const size_t at = unused + i;
    body.in[at] = extent_field(window.in[i]);
    body.out[at] = extent_field(window.out[i]);
    body.kernel[at] = extent_field(window.kernel[i]);
    body.stride[at] = static_cast<uint16_t>(window.stride[i]);
    body.dilation[at] = static_cast<uint16_t>(window.dilation[i]);
    body.pad[at] = static_cast<int32_t>(window.pad[i]);
    body.a_stride[3 + at] = from.strides[2 + i];
    body.b_stride[3 + at] = kernel.strides[2 + i];
    loops[2 + at] = output[2 + i];
    loop_of.push_back(2 + at);
  }

  Section section(loops);
  Register sum = section.points.accumulator(0, DType::f32);
  if (lowering.has(node, 2)) {
    const std::vector<int64_t> steps{0, lowering.view(node.inputs[2]).strides[0], 0, 0, 0};
    const Stream bias = section.walk(lowering.view(node.inputs[2]), lowering.dtype(node.inputs[2]), steps);
    sum = section.points.add(sum, section.points.load(section.input(bias), bias.dtype));
  }
  lowering.finish(section, group, sum, loop_of);
  lowering.conv(group, body, {from, lowering.dtype(node.inputs[0]), input, from.strides},
                {kernel, lowering.dtype(node.inputs[1]), weights, kernel.strides}, std::move(section));
}

}  // namespace kawara::compiler
