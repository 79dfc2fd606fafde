// SPDX-License-Identifier: Apache-2.0
// Generates the compute shader of a product on a software device: a subgroup computes a tile,
// sums[row, column] = old[row, column] + sum over depths and the taps of each of weights * inputs.
//
// Written for how lavapipe compiles. What it knows to be the same in all lanes becomes scalar code, and it knows that of constants
// and of push constants alone, so numbers of workgroups and subgroups go through a table of push constants. There is no branch, no
// loop and no push constant read late (its bounds are checked): behind one, a load from one address becomes one for each lane. Loads side
// by side, each taken by one lane, become one vector load. Runs of terms are summed by themselves, and so is each chunk before it
// meets the old sums, so that rounding errors grow with the number of runs and chunks and not of terms.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace kawara::emulator::vulkan {

// The push constants of the shader. Rows and depths in bytes; the columns of a row are neighbours.
struct LanePush {
  uint64_t weights, inputs, sums, old;
  uint32_t weights_row, inputs_depth, tap_line, sums_row, old_row;
  uint32_t old_column;  // from sixteen old columns to the next: 64, or 0 where all are the same
  uint32_t row_tiles;
  uint32_t block_rows, block_rows_magic, block_rows_shift;  // tiles of a block of rows
  uint32_t columns, columns_magic, columns_shift;           // tiles of a row
  uint32_t spare_column;  // behind the last: workgroups and blocks are whole, so some tiles may have nothing to compute
  uint32_t number[16];    // number[i] = i
};

// Of a workgroup, which costs lavapipe as much as several subgroups; and of a dispatch, whose numbers have two digits of four bits.
inline constexpr uint32_t kTilesOfGroup = 16, kGroupDigitsOfProduct = 2, kGroupsOfProduct = 1 << 4 * kGroupDigitsOfProduct;

struct LaneTerms {
  uint32_t depth;
  std::array<uint32_t, 2> kernel;  // lines of taps, and taps side by side in each
  uint32_t rows;                   // of a tile: 4 or 8
  uint32_t lanes;                  // of a subgroup: 8 or 16
};

std::vector<uint32_t> lane_product_shader(const LaneTerms& terms);

}  // namespace kawara::emulator::vulkan
