// SPDX-License-Identifier: Apache-2.0
// A matrix product with any number of batch dimensions, as MatMul and Gemm lower to it.
#pragma once

#include <functional>
#include <vector>

#include "lowering.h"

namespace kawara::compiler {

// Loops: the batch, then rows m and columns n. Strides of a and b along them (b's along m is 0, a's along n); `depth` terms
// of each sum, along which a and b move by a_depth and b_depth.
struct Product {
  View a, b;
  DType a_dtype = DType::none, b_dtype = DType::none;
  std::vector<int64_t> loops{};
  std::vector<int64_t> a_strides{}, b_strides{};
  int64_t depth = 0, a_depth = 0, b_depth = 0;
  std::vector<size_t> loop_of{};  // dimension of the output -> loop
};

// One `gemm`. `result` makes the root's value of the accumulator; it may load further inputs.
void lower_product(Lowering& lowering, const Node& group, Product product, const std::function<Register(Section&, Register)>& result);

}  // namespace kawara::compiler
