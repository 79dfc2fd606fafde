// SPDX-License-Identifier: Apache-2.0
// Sums of products on a software device: a matrix product whose operands lie as lanes like them.
#pragma once

#include <array>
#include <cstdint>

#include "emulator/executor.h"
#include "emulator/vulkan/nest.h"

namespace kawara::emulator::vulkan {

class Recorder;

// sums[batch, row, column] = sum over depth and taps of weights[batch, row, depth, tap] * inputs[batch, depth, column + where the tap
// lies], all f32; a row's weights, columns of inputs and of sums are neighbours in memory. Strides count elements.
struct LaneProduct {
  static constexpr uint32_t kColumns = 16, kRowsMin = 4, kRowsMax = 8;  // of a tile
  static constexpr uint32_t kTapsMax = 144;
  // The kernels read operands up to those rows and columns and two columns of tiles further, so they may read behind the end of
  // an operand, by less than this; what they make of it is nobody's result.
  static constexpr uint64_t kReadsBehindMax = kReadableBehind;

  Place weights, inputs, sums;
  std::array<uint32_t, 2> batches{1, 1};
  uint32_t rows = 1, depth = 1, columns = 1;
  std::array<uint32_t, 2> kernel{1, 1};  // taps: lines, and columns side by side; kTapsMax at most
  std::array<int64_t, 2> weights_batch{}, inputs_batch{}, sums_batch{};
  int64_t weights_row = 0, inputs_depth = 0, sums_row = 0;
  int64_t tap_line = 0;  // from one line of the kernel to the next, in inputs

  // Of a tile: as many as the registers of so many lanes hold, or half of them where the other half had nothing to compute.
  static uint32_t rows_of_tile(uint32_t lanes, uint64_t rows) {
    return lanes < 16 || (rows % kRowsMax != 0 && rows % kRowsMax <= kRowsMin) ? kRowsMin : kRowsMax;
  }
  // Whether a product of this size gains from the kernels.
  static bool pays(uint64_t rows, uint64_t depth, uint64_t columns);
  // The room that sums must have: rows, and elements from one row to the next. Behind the last column lies a spare
  // tile, also where the columns are part of a longer row and start anywhere.
  static uint64_t rows_of_room(uint64_t rows) { return (rows + kRowsMax - 1) / kRowsMax * kRowsMax; }
  static uint64_t row_of_room(uint64_t columns) { return (columns + kColumns - 1) / kColumns * kColumns + 2 * kColumns; }
};

void add_lane_product(Recorder& recorder, const LaneProduct& product);

}  // namespace kawara::emulator::vulkan
