// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "emulator/reference/commands.h"
#include "emulator/reference/planes.h"
#include "emulator/reference/product.h"
#include "emulator/reference/section.h"

namespace kawara::emulator::reference {
namespace {

// Blocks of the output and of k. Columns are a multiple of the tile and of every acc_group.
constexpr unsigned kRows = 64, kColumns = 240, kTerms = 256;

class Operand {
 public:
  Operand(const Job& job, const kawara_matrix& matrix)
      : matrix_(matrix),
        data_(address(job, matrix.data)),
        scale_(job, matrix.scale, matrix.scale_dtype),
        zero_(job, matrix.zero, matrix.zero_dtype) {}

  // Writes element (row0 + r, column0 + c) of matrix (g, h) to out(r, c). k_is_row: the rows are the terms of the sums.
  template <typename T, typename Out>
  void unpack(uint32_t g, uint32_t h, uint64_t row0, unsigned rows, uint64_t column0, unsigned columns, bool k_is_row, Out out) const {
    const auto base = [&](const auto* stride) { return int64_t{stride[0]} * g + int64_t{stride[1]} * h; };
    const auto block = [&](uint64_t k) { return static_cast<int64_t>(matrix_.block_k == 0 ? 0 : k / matrix_.block_k); };
    visit_dtype(matrix_.dtype, [&](auto codec) {
      const auto value = [&](int64_t index) { return codec.value(read_bits<decltype(codec)::kBits>(data_, index)); };
      for (unsigned r = 0; r < rows; ++r) {
        const uint64_t row = row0 + r;
        const int64_t start =
            base(matrix_.stride) + static_cast<int64_t>(row) * matrix_.stride[2] + static_cast<int64_t>(column0) * matrix_.stride[3];
        if (!scale_ && !zero_) {
          for (unsigned c = 0; c < columns; ++c) *out(r, c) = less_zero<T>(value(start + c * matrix_.stride[3]), 0, 0);
          continue;
        }
        for (unsigned c = 0; c < columns; ++c) {
          const int64_t plane_row = k_is_row ? block(row) : static_cast<int64_t>(row);
          const int64_t plane_column = k_is_row ? static_cast<int64_t>(column0 + c) : block(column0 + c);
          const auto in_plane = [&](const int32_t* stride) { return base(stride) + plane_row * stride[2] + plane_column * stride[3]; };
          const int64_t at = in_plane(matrix_.zero_stride);
          T element =
              less_zero<T>(value(start + c * matrix_.stride[3]), zero_ ? zero_.at<int64_t>(at) : 0, zero_ ? zero_.at<float>(at) : 0.0f);
          if (scale_) element = static_cast<T>(element * scale_.at<float>(in_plane(matrix_.scale_stride)));
          *out(r, c) = element;
        }
      }
    });
  }

 private:
  const kawara_matrix& matrix_;
  const std::byte* data_;
  Plane scale_, zero_;
};

struct Extents {
  uint32_t G, H, M, N, K;
};

template <typename T>
void multiply(const Job& job, const kawara_gemm& gemm, const Extents& extents, Section& epilogue, unsigned group, Pace& pace) {
  const Operand a(job, gemm.a), b(job, gemm.b);
  std::vector<T> rows_of_a(size_t{kRows} * kTerms), terms_of_b(size_t{kColumns} * kTerms), sums(size_t{kRows} * kColumns);

  const auto block = [&](uint32_t g, uint32_t h, uint32_t m0, uint32_t n0) {
    const unsigned rows = std::min<uint32_t>(kRows, extents.M - m0), columns = std::min<uint32_t>(kColumns, extents.N - n0);
    std::ranges::fill(sums, T{0});
    for (uint64_t k0 = 0; k0 < extents.K; k0 += kTerms) {
      const auto terms = static_cast<unsigned>(std::min<uint64_t>(kTerms, extents.K - k0));
      a.unpack<T>(g, h, m0, rows, k0, terms, false,
                  [&](unsigned row, unsigned k) { return &rows_of_a[(row / kTileRows * terms + k) * kTileRows + row % kTileRows]; });
      b.unpack<T>(g, h, k0, terms, n0, columns, true,
                  [&](unsigned k, unsigned column) { return &terms_of_b[size_t{k} * kColumns + column]; });
      // Rows and columns of the margin hold leftovers; their sums are never looked at.
      accumulate_block(rows_of_a.data(), rows, terms_of_b.data(), kColumns, columns, terms, sums.data(), kColumns);
      if (!pace.spend(uint64_t{terms} * (rows * columns / 4 + rows + columns))) return;
    }
    for (unsigned row = 0; row < rows; ++row) {
      for (unsigned column = 0; column < columns / group; column += kLanes) {
        const unsigned count = std::min(kLanes, columns / group - column);
        const auto* first = reinterpret_cast<const uint32_t*>(&sums[size_t{row} * kColumns + column * group]);
        epilogue.run({g, h, m0 + row, n0 / group + column}, count, {first, 1, group});
        if (!pace.spend(epilogue.cost() * (20 + count))) return;
      }
    }
  };

  for (uint32_t g = 0; g < extents.G; ++g)
    for (uint32_t h = 0; h < extents.H; ++h)
      for (uint64_t m0 = 0; m0 < extents.M; m0 += kRows)
        for (uint64_t n0 = 0; n0 < extents.N; n0 += kColumns) {
          block(g, h, static_cast<uint32_t>(m0), static_cast<uint32_t>(n0));
          if (pace.aborted()) return;
        }
}

}  // namespace

void run_gemm(const Job& job, const hw::CommandView& command, const Limit& limit, Pace& pace, Health* health) {
  const auto& gemm = command.body<kawara_gemm>();
  const Extents extents{limit.clamp(0, gemm.G), limit.clamp(1, gemm.H), limit.clamp(2, gemm.M), limit.clamp(3, gemm.N),
                        limit.clamp(4, gemm.K)};
  if (extents.G == 0 || extents.H == 0 || extents.M == 0 || extents.N == 0) return;
  const unsigned group = std::max<unsigned>(command.section().fields().acc_group, 1);
  constexpr unsigned kColumnLoop = 3;
  Section epilogue(job, command.section(), {extents.G, extents.H, extents.M, extents.N / group, 1, 1, 1, 1, 1}, kColumnLoop, health);
  if (gemm.acc_dtype == KAWARA_DTYPE_i32)
    multiply<int32_t>(job, gemm, extents, epilogue, group, pace);
  else
    multiply<float>(job, gemm, extents, epilogue, group, pace);
}

}  // namespace kawara::emulator::reference
