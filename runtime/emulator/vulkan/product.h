// SPDX-License-Identifier: Apache-2.0
// Sums of products: the one computation behind gemm and conv, with any strides, and the kernel's parameters for it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "emulator/vulkan/nest.h"

namespace kawara::emulator::vulkan {

class Recorder;

// out[batch, row, position] = sum over taps and depth of weights[batch, row, depth, tap] * inputs[batch, depth, place]
struct Product {
  bool is_integer = false;  // elements and sums are i32, else f32
  bool is_transposed = false;
  Place weights, inputs, sums;
  std::array<uint32_t, 2> batches{1, 1};
  uint32_t rows = 1, depth = 1;
  std::array<uint32_t, 3> out{1, 1, 1}, in{1, 1, 1}, taps{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1};
  std::array<int32_t, 3> pad_begin{};
  uint32_t pad = 0;  // bits of what the border holds, unless pad_place says where that is
  bool has_pad_place = false;
  Place pad_place;
  bool limits_depth = false;
  Place limit;
  // Elements.
  std::array<int64_t, 2> weights_batch{}, inputs_batch{}, sums_batch{};
  int64_t weights_row = 0, weights_depth = 0, inputs_depth = 0, sums_row = 0;
  std::array<int64_t, 3> weights_tap{}, inputs_position{}, sums_position{};
};

void add_product(Recorder& recorder, const Product& product);

}  // namespace kawara::emulator::vulkan
