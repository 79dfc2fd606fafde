// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "emulator/reference/machine.h"
#include "emulator/reference/reference.h"

namespace kawara::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

// Along the last dimension, n elements side by side.
kawara_copy row(uint32_t n, uint8_t dtype) {
  auto copy = hw::blank<kawara_copy>();
  copy.header.engine = KAWARA_ENGINE_DMA_IN;
  copy.dtype = dtype;
  copy.extent[5] = copy.src_extent[5] = n;
  copy.src_stride[5] = copy.dst_stride[5] = 1;
  return copy;
}

class Copy : public ::testing::Test {
 protected:
  emulator::Health run(kawara_copy copy, uint32_t src, uint32_t dst) {
    if ((copy.flags & KAWARA_COPY_FILL) == 0) copy.src = hw::operand(src, 0);
    copy.dst = hw::operand(dst, 0);
    copy.header.flags |= KAWARA_HEADER_HEALTH;
    return machine.run(copy);
  }

  Machine machine{emulator::reference_executor()};
  std::vector<int32_t> count_up(size_t n) {
    std::vector<int32_t> values(n);
    std::iota(values.begin(), values.end(), 1);
    return values;
  }
};

TEST_F(Copy, MovesBytesOfEveryWidth) {
  std::vector<uint8_t> bytes(64);
  std::iota(bytes.begin(), bytes.end(), 1);
  for (const uint8_t dtype : {KAWARA_DTYPE_u8, KAWARA_DTYPE_f16, KAWARA_DTYPE_f32, KAWARA_DTYPE_i64, KAWARA_DTYPE_i4}) {
    const uint32_t src = machine.local(bytes), dst = machine.local(std::vector<uint8_t>(64));
    run(row(static_cast<uint32_t>(64 * 8 / kawara_dtype_bits(dtype)), dtype), src, dst);
    EXPECT_EQ(machine.read<uint8_t>(dst, 64), bytes) << int{dtype};
  }
}

TEST_F(Copy, CrossesThePiecesOfHostMemory) {
  const std::vector<int32_t> values = count_up(100);
  for (const size_t piece : {16u, 12u, 7u, 1000u}) {
    const uint32_t src = machine.host(values, piece), dst = machine.host(std::vector<int32_t>(100), piece + 5),
                   local = machine.local(std::vector<int32_t>(100));
    run(row(100, KAWARA_DTYPE_i32), src, dst);
    EXPECT_EQ(machine.read<int32_t>(dst, 100), values) << piece;
    kawara_copy backwards = row(100, KAWARA_DTYPE_i32);
    backwards.src = hw::operand(src, 99 * 4);
    backwards.dst = hw::operand(local, 0);
    backwards.src_stride[5] = -1;
    machine.run(backwards);
    EXPECT_THAT(machine.read<int32_t>(local, 100), ElementsAreArray(values.rbegin(), values.rend())) << piece;
  }
}

// One dimension lies in the padding whole, so that no stride is bounded. The sanitizer watches the sum.
TEST_F(Copy, OfPaddingAloneMayHaveAnyStride) {
  const uint32_t src = machine.local(count_up(8)), dst = machine.local(std::vector<int32_t>(16));
  kawara_copy copy = row(2, KAWARA_DTYPE_i32);
  copy.pad_lo[5] = 64;
  copy.extent[4] = copy.src_extent[4] = 8;
  copy.src_stride[4] = INT64_MIN / 3;
  copy.dst_stride[4] = 2;
  copy.pad = 7;
  run(copy, src, dst);
  EXPECT_THAT(machine.read<int32_t>(dst, 16), Each(7));
}

TEST_F(Copy, StridesTranspose) {
  const uint32_t src = machine.local(count_up(6)), dst = machine.local(std::vector<int32_t>(6));
  kawara_copy copy = row(2, KAWARA_DTYPE_i32);
  copy.extent[4] = copy.src_extent[4] = 3;
  copy.src_stride[4] = 1, copy.src_stride[5] = 3;
  copy.dst_stride[4] = 2;
  run(copy, src, dst);
  EXPECT_THAT(machine.read<int32_t>(dst, 6), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST_F(Copy, PadsAroundTheSource) {
  const uint32_t src = machine.local(count_up(4)), dst = machine.local(std::vector<int32_t>(20));
  kawara_copy copy = row(5, KAWARA_DTYPE_i32);
  copy.extent[4] = 4;
  copy.src_extent[4] = copy.src_extent[5] = 2;
  copy.src_stride[4] = 2, copy.dst_stride[4] = 5;
  copy.pad_lo[4] = 1, copy.pad_lo[5] = 2;
  copy.pad = 7;
  run(copy, src, dst);
  EXPECT_THAT(machine.read<int32_t>(dst, 20), ElementsAre(7, 7, 7, 7, 7, 7, 7, 1, 2, 7, 7, 7, 3, 4, 7, 7, 7, 7, 7, 7));
}

TEST_F(Copy, ANegativePadCrops) {
  const uint32_t src = machine.local(count_up(6)), dst = machine.local(std::vector<int32_t>(3));
  kawara_copy copy = row(3, KAWARA_DTYPE_i32);
  copy.src_extent[5] = 6;
  copy.pad_lo[5] = -2;
  run(copy, src, dst);
  EXPECT_THAT(machine.read<int32_t>(dst, 3), ElementsAre(3, 4, 5));
}

TEST_F(Copy, FillsWithThePad) {
  const uint32_t dst = machine.host(std::vector<uint16_t>(5, 1), 3);
  kawara_copy copy = row(4, KAWARA_DTYPE_f16);
  copy.flags = KAWARA_COPY_FILL;
  copy.pad = 0x3c00;
  run(copy, 0, dst);
  EXPECT_THAT(machine.read<uint16_t>(dst, 5), ElementsAre(0x3c00, 0x3c00, 0x3c00, 0x3c00, 1));
}

class IndexedCopy : public Copy, public ::testing::WithParamInterface<uint8_t> {
 protected:
  uint64_t list(const std::vector<int64_t>& indices) {
    if (GetParam() == KAWARA_DTYPE_i64) return hw::operand(machine.local(indices), 0);
    return hw::operand(machine.local(std::vector<int32_t>(indices.begin(), indices.end())), 0);
  }
};

TEST_P(IndexedCopy, GathersRowsAndPadsWhereTheIndexLiesOutside) {
  const uint32_t src = machine.local(count_up(6)), dst = machine.local(std::vector<int32_t>(10));
  kawara_copy copy = row(2, KAWARA_DTYPE_i32);
  copy.extent[4] = 5;
  copy.src_extent[4] = copy.index_extent = 3;
  copy.src_stride[4] = copy.dst_stride[4] = 2;
  copy.flags = KAWARA_COPY_GATHER;
  copy.index = list({2, -1, 0, 3, 1});
  copy.index_dtype = GetParam();
  copy.index_dim = 4;
  copy.pad = 9;
  run(copy, src, dst);
  EXPECT_THAT(machine.read<int32_t>(dst, 10), ElementsAre(5, 6, 9, 9, 1, 2, 9, 9, 3, 4));
}

TEST_P(IndexedCopy, GathersAlongTheInnermostDimension) {
  const uint32_t src = machine.local(count_up(6)), dst = machine.local(std::vector<int32_t>(8));
  kawara_copy copy = row(4, KAWARA_DTYPE_i32);
  copy.extent[4] = copy.src_extent[4] = 2;
  copy.src_stride[4] = 3, copy.dst_stride[4] = 4;
  copy.src_extent[5] = copy.index_extent = 3;
  copy.flags = KAWARA_COPY_GATHER;
  copy.index = list({2, 2, 5, 0});
  copy.index_dtype = GetParam();
  copy.index_dim = 5;
  run(copy, src, dst);
  EXPECT_THAT(machine.read<int32_t>(dst, 8), ElementsAre(3, 3, 0, 1, 6, 6, 0, 4));
}

TEST_P(IndexedCopy, ScattersAndDropsWhereTheIndexLiesOutside) {
  const uint32_t src = machine.local(count_up(6)), dst = machine.local(std::vector<int32_t>(8, 9));
  kawara_copy copy = row(2, KAWARA_DTYPE_i32);
  copy.extent[4] = copy.src_extent[4] = 3;
  copy.src_stride[4] = copy.dst_stride[4] = 2;
  copy.index_extent = 4;
  copy.flags = KAWARA_COPY_SCATTER;
  copy.index = list({3, 4, 1});
  copy.index_dtype = GetParam();
  copy.index_dim = 4;
  const emulator::Health health = run(copy, src, dst);
  EXPECT_THAT(machine.read<int32_t>(dst, 8), ElementsAre(9, 9, 5, 6, 9, 9, 1, 2));
  EXPECT_EQ(health.dropped, 2u);
}
INSTANTIATE_TEST_SUITE_P(Lists, IndexedCopy, ::testing::Values(KAWARA_DTYPE_i32, KAWARA_DTYPE_i64),
                         [](const auto& test) { return test.param == KAWARA_DTYPE_i32 ? "i32" : "i64"; });

// Only what lies inside the source bounds its strides.
TEST_F(Copy, PadsWhatLiesFurtherOutsideThanANumberReaches) {
  const uint32_t src = machine.local(count_up(1)), dst = machine.local(std::vector<int32_t>(3, 9));
  kawara_copy copy = row(3, KAWARA_DTYPE_i32);
  copy.src_extent[5] = 1;
  copy.src_stride[5] = int64_t{1} << 62;
  run(copy, src, dst);
  EXPECT_THAT(machine.read<int32_t>(dst, 3), ElementsAre(1, 0, 0));
}

TEST_F(Copy, AnExtentOfZeroDoesNothing) {
  const uint32_t src = machine.local(count_up(2)), dst = machine.local<int32_t>({9});
  kawara_copy copy = row(0, KAWARA_DTYPE_i32);
  run(copy, src, dst);
  EXPECT_EQ(machine.read<int32_t>(dst, 1)[0], 9);
}

}  // namespace
}  // namespace kawara::test
