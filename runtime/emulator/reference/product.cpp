// SPDX-License-Identifier: Apache-2.0
#include "emulator/reference/product.h"

#include <cstring>

namespace kawara::emulator::reference {
namespace {

// Columns lie side by side in a vector register; each lane is a sum of its own, so k stays in order.
template <typename Vector, typename T>
void accumulate(const T* a, const T* b, size_t b_stride, size_t terms, T* sums, size_t sums_stride) {
  Vector sum[kTileRows];
  for (unsigned row = 0; row < kTileRows; ++row) std::memcpy(&sum[row], sums + row * sums_stride, sizeof(Vector));
  for (size_t k = 0; k < terms; ++k) {
    Vector columns;
    std::memcpy(&columns, b + k * b_stride, sizeof(Vector));
    for (unsigned row = 0; row < kTileRows; ++row) sum[row] += columns * static_cast<decltype(columns[0] + 0)>(a[k * kTileRows + row]);
  }
  for (unsigned row = 0; row < kTileRows; ++row) std::memcpy(sums + row * sums_stride, &sum[row], sizeof(Vector));
}

// Unsigned lanes wrap without undefined behaviour, to the same bits.
typedef float FloatColumns __attribute__((vector_size(sizeof(float) * kTileColumns)));
typedef uint32_t IntegerColumns __attribute__((vector_size(sizeof(uint32_t) * kTileColumns)));

}  // namespace

void accumulate_tile(const float* a, const float* b, size_t b_stride, size_t terms, float* sums, size_t sums_stride) {
  accumulate<FloatColumns>(a, b, b_stride, terms, sums, sums_stride);
}

void accumulate_tile(const int32_t* a, const int32_t* b, size_t b_stride, size_t terms, int32_t* sums, size_t sums_stride) {
  accumulate<IntegerColumns>(a, b, b_stride, terms, sums, sums_stride);
}

}  // namespace kawara::emulator::reference
