// SPDX-License-Identifier: Apache-2.0
// The inner loops of gemm and conv: a small block of output, every sum in ascending k with one rounding per operation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kawara::emulator::reference {

// What a multiply works on at once. Blocks are multiples of a tile; the margin holds zeros.
inline constexpr unsigned kTileRows = 4, kTileColumns = 8;

// sums[r][c] += sum over k of a[k * kTileRows + r] * b[k * b_stride + c], for one tile.
// int32_t wraps. A further call goes on where the last one stopped, so a long k may be cut.
void accumulate_tile(const float* a, const float* b, size_t b_stride, size_t terms, float* sums, size_t sums_stride);
void accumulate_tile(const int32_t* a, const int32_t* b, size_t b_stride, size_t terms, int32_t* sums, size_t sums_stride);

// A block of rows x columns. a: tiles of kTileRows rows, each `terms` long; b: rows of b_stride.
template <typename T>
void accumulate_block(const T* a, unsigned rows, const T* b, size_t b_stride, unsigned columns, size_t terms, T* sums, size_t sums_stride) {
  for (unsigned column = 0; column < columns; column += kTileColumns)
    for (unsigned row = 0; row < rows; row += kTileRows)
      accumulate_tile(a + row * terms, b + column, b_stride, terms, sums + row * sums_stride + column, sums_stride);
}

constexpr unsigned round_up(unsigned value, unsigned multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace kawara::emulator::reference
