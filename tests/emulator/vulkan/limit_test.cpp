// SPDX-License-Identifier: Apache-2.0
// The header's `limit` on both executors: every command, every dimension, values below, at and beyond what there is.
// Integers, so that results are compared bit by bit; what a limit leaves out keeps what was there.
#include <gmock/gmock.h>

#include "emulator/reference/machine.h"
#include "emulator/vulkan/random_program.h"
#include "emulator/vulkan/twins.h"

namespace kawara::test {
namespace {

constexpr int32_t kValues[] = {INT32_MIN, -1, 0, 1, 2, 3, 4, 1000, INT32_MAX};

// Copies the limit from `value` to where the command reads it: the value exists only while the job runs.
kawara_copy produce(uint32_t value, uint32_t limits) {
  auto copy = hw::blank<kawara_copy>();
  copy.header.engine = KAWARA_ENGINE_DMA_IN;
  copy.dtype = KAWARA_DTYPE_i32;
  copy.src = hw::operand(value, 0);
  copy.dst = hw::operand(limits, 0);
  return copy;
}

// How many elements of the output differ from what was there, by the reference; both executors agree on all of them.
template <typename Body>
size_t changed(Twins& twins, Body body, uint32_t dim, int32_t value, uint32_t out, const hw::Section* section = nullptr) {
  const auto source = twins.local(std::vector<int32_t>{value}), limits = twins.local(std::vector<int32_t>{7});
  const auto before = twins.reference<int32_t>(out);
  body.header.flags = dim;
  body.header.limit = hw::operand(limits, 0);
  hw::Commands commands;
  commands.append(hw::encode(produce(source, limits)));
  commands.append(hw::encode(body, section));
  twins.run(commands);
  EXPECT_EQ(twins.vulkan<int32_t>(out), twins.reference<int32_t>(out)) << "dimension " << dim << ", limit " << value;
  const auto after = twins.reference<int32_t>(out);
  size_t count = 0;
  for (size_t i = 0; i < after.size(); ++i) count += before[i] != after[i];
  return count;
}

// What a limit leaves of an extent.
size_t left(uint32_t extent, int32_t value) { return value < 0 ? 0 : std::min<size_t>(extent, static_cast<size_t>(value)); }

std::vector<int32_t> untouched(size_t count) { return std::vector<int32_t>(count, -77'777'777); }

std::vector<int8_t> ones(size_t count) { return std::vector<int8_t>(count, 1); }

TEST(Limit, OfAVectorClampsEachParallelDimension) {
  const uint32_t extent[6] = {2, 3, 2, 3, 2, 4};
  for (uint32_t dim = 0; dim < 6; ++dim) {
    for (const int32_t value : kValues) {
      Twins twins;
      const auto in = twins.local(std::vector<int32_t>(288, 5)), out = twins.local(untouched(288));
      hw::Section section;
      std::copy(extent, extent + 6, section.extent.begin());
      section.n_par = 6;
      section.n_in = 1;
      // Four coordinates at most: the first three dimensions share one.
      section.coords = {coord(24, 12, {{0, 6}, {1, 2}, {2, 1}}), coord(8, 3, {{3, 1}}), coord(4, 2, {{4, 1}}), coord(1, 4, {{5, 1}})};
      section.streams = {stream(in, KAWARA_DTYPE_i32, 0, 4), stream(out, KAWARA_DTYPE_i32, 0, 4)};
      section.instrs = {load(kI32, 0, 0), store(kI32, 0, 1)};
      section.phases = {once(2)};
      EXPECT_EQ(changed(twins, hw::blank<kawara_vector>(), dim, value, out, &section), 288 / extent[dim] * left(extent[dim], value));
    }
  }
}

TEST(Limit, OfAVectorClampsEachReducedDimension) {
  const uint32_t extent[3] = {3, 5, 9};
  for (uint32_t dim = 0; dim < 3; ++dim) {
    for (const int32_t value : {-1, 0, 1, 2, 4, 9, 1000}) {
      Twins twins;
      const auto in = twins.local(std::vector<int32_t>(135, 1)), out = twins.local(untouched(1));
      hw::Section section;
      section.extent = {1, 1, 1, 1, 1, 1, 3, 5, 9};
      section.n_red = 3;
      section.n_in = 1;
      section.coords = {coord(45, 3, {{6, 1}}), coord(9, 5, {{7, 1}}), coord(1, 9, {{8, 1}})};
      section.streams = {stream(in, KAWARA_DTYPE_i32, 0, 3), stream(out, KAWARA_DTYPE_i32, 0, 0)};
      section.instrs = {load(kI32, 0, 0), instr(KAWARA_OP_red_add, kI32, 1, 0), store(kI32, 1, 1)};
      section.phases = {phase(KAWARA_PHASE_TREE, 7, 0, 0, 2, 3)};
      changed(twins, hw::blank<kawara_vector>(), 6 + dim, value, out, &section);
      const size_t terms = 135 / extent[dim] * left(extent[dim], value);
      EXPECT_EQ(twins.reference<int32_t>(out)[0], terms == 0 ? -77'777'777 : static_cast<int32_t>(terms));
    }
  }
}

TEST(Limit, OfAGemmClampsEachDimension) {
  const uint32_t extent[5] = {2, 3, 4, 6, 5};
  for (uint32_t dim = 0; dim < 5; ++dim) {
    for (const int32_t value : kValues) {
      Twins twins;
      const auto a = twins.local(ones(2 * 3 * 4 * 5)), b = twins.local(ones(5 * 6)), out = twins.local(untouched(2 * 3 * 4 * 6));
      auto gemm = hw::blank<kawara_gemm>();
      gemm.G = 2, gemm.H = 3, gemm.M = 4, gemm.N = 6, gemm.K = 5;
      gemm.acc_dtype = kI32, gemm.a.dtype = gemm.b.dtype = KAWARA_DTYPE_i8;
      gemm.a.data = hw::operand(a, 0), gemm.b.data = hw::operand(b, 0);
      gemm.a.stride[0] = 60, gemm.a.stride[1] = 20, gemm.a.stride[2] = 5, gemm.a.stride[3] = 1;
      gemm.b.stride[2] = 6, gemm.b.stride[3] = 1;
      hw::Section section;
      section.acc_group = 1;
      section.coords = {coord(72, 2, {{0, 1}}), coord(24, 3, {{1, 1}}), coord(6, 4, {{2, 1}}), coord(1, 6, {{3, 1}})};
      section.streams = {stream(out, KAWARA_DTYPE_i32, 0, 4)};
      section.instrs = {store(kI32, accumulator(0), 0)};
      section.phases = {once(1)};
      const size_t count = changed(twins, gemm, dim, value, out, &section);
      EXPECT_EQ(count, dim == 4 ? (value <= 0 ? 0u : 144u) : 144 / extent[dim] * left(extent[dim], value));
      if (count) {
        EXPECT_EQ(twins.reference<int32_t>(out)[0], dim == 4 ? static_cast<int32_t>(left(5, value)) : 5);
      }
    }
  }
}

TEST(Limit, OfAConvClampsEachDimension) {
  const uint32_t extent[7] = {2, 1, 3, 4, 2, 3, 2};
  for (uint32_t dim = 0; dim < 7; ++dim) {
    for (const int32_t value : kValues) {
      Twins twins;
      const auto a = twins.local(ones(2 * 3 * 12)), b = twins.local(ones(4 * 3)), out = twins.local(untouched(2 * 4 * 12));
      auto conv = hw::blank<kawara_conv>();
      conv.N = 2, conv.IC = 3, conv.OC = 4;
      for (int i = 0; i < 3; ++i) conv.in[i] = conv.out[i] = extent[4 + i];
      conv.acc_dtype = kI32, conv.a_dtype = conv.b_dtype = KAWARA_DTYPE_i8;
      conv.a = hw::operand(a, 0), conv.b = hw::operand(b, 0);
      const int64_t a_stride[] = {36, 36, 12, 6, 2, 1}, b_stride[] = {12, 3, 1, 0, 0, 0};
      std::ranges::copy(a_stride, conv.a_stride);
      std::ranges::copy(b_stride, conv.b_stride);
      hw::Section section;
      section.acc_group = 1;
      section.coords = {coord(48, 2, {{0, 1}}), coord(12, 4, {{1, 1}}), coord(2, 6, {{2, 3}, {3, 1}}), coord(1, 2, {{4, 1}})};
      section.streams = {stream(out, KAWARA_DTYPE_i32, 0, 4)};
      section.instrs = {store(kI32, accumulator(0), 0)};
      section.phases = {once(1)};
      const size_t count = changed(twins, conv, dim, value, out, &section);
      EXPECT_EQ(count, dim == 2 ? (value <= 0 ? 0u : 96u) : 96 / extent[dim] * left(extent[dim], value));
      if (count) {
        EXPECT_EQ(twins.reference<int32_t>(out)[0], dim == 2 ? static_cast<int32_t>(left(3, value)) : 3);
      }
    }
  }
}

// In local memory, and with a source in host memory, which another part of the executor carries out.
TEST(Limit, OfACopyClampsEachDimension) {
  const uint32_t extent[6] = {2, 3, 2, 3, 2, 4};
  const int64_t stride[6] = {144, 48, 24, 8, 4, 1};
  for (const bool from_host : {false, true}) {
    for (uint32_t dim = 0; dim < 6; ++dim) {
      for (const int32_t value : kValues) {
        Twins twins;
        const std::vector<int32_t> data(288, 9);
        const auto in = from_host ? twins.host(data, 100) : twins.local(data), out = twins.local(untouched(288));
        auto copy = hw::blank<kawara_copy>();
        copy.header.engine = KAWARA_ENGINE_DMA_OUT;
        copy.dtype = KAWARA_DTYPE_i32;
        copy.src = hw::operand(in, 0), copy.dst = hw::operand(out, 0);
        for (int i = 0; i < 6; ++i) copy.extent[i] = copy.src_extent[i] = extent[i], copy.src_stride[i] = copy.dst_stride[i] = stride[i];
        EXPECT_EQ(changed(twins, copy, dim, value, out), 288 / extent[dim] * left(extent[dim], value));
      }
    }
  }
}

TEST(Limit, OfACopyMayLieInHostMemory) {
  Twins twins;
  const auto in = twins.local(std::vector<int32_t>(8, 9)), out = twins.local(untouched(8)),
             limits = twins.host(std::vector<int32_t>{0, 3}, 4);
  auto copy = produce(in, out);
  copy.extent[5] = copy.src_extent[5] = 8;
  copy.src_stride[5] = copy.dst_stride[5] = 1;
  copy.header.flags = 5;
  copy.header.limit = hw::operand(limits, 4);
  twins.run(copy);
  EXPECT_EQ(twins.vulkan<int32_t>(out), twins.reference<int32_t>(out));
  EXPECT_EQ(std::ranges::count(twins.reference<int32_t>(out), 9), 3);
}

}  // namespace
}  // namespace kawara::test
