// SPDX-License-Identifier: Apache-2.0
// What Conv and ConvTranspose share: one `conv` command with the bias as the first step of its epilogue.
#pragma once

#include "lowering.h"
#include "window.h"

namespace kawara::compiler {

// Input 0 is convolved with the weights of input 1, and input 2, where given, is the bias. Channels count within a group.
struct Convolution {
  Window window;
  int64_t groups = 1, inputs = 0, outputs = 0;
  // Dimensions of the weights by which the two channels count; the outermost of them steps through the groups as well.
  size_t input_dimension = 1, output_dimension = 0;
  bool transposed = false;
};

// Throws unsupported unless input, weights and bias are f32, of fitting ranks, and have the kernel that the attribute kernel_shape says.
void require_convolution(const Inference& inference);
void lower_convolution(Lowering& lowering, const Node& group, const Convolution& convolution);

// The kernel: what follows the two channels in the weights' shape.
std::vector<int64_t> kernel_of(const Shape& weights);

}  // namespace kawara::compiler
