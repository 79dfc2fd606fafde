// SPDX-License-Identifier: Apache-2.0
// gemm and conv on Vulkan: floats within the manual's bound, integers exactly as the reference.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "emulator/narrow.h"
#include "emulator/reference/machine.h"
#include "emulator/vulkan/random_program.h"
#include "emulator/vulkan/twins.h"
#include "emulator/vulkan/ways.h"

namespace kawara::test {
namespace {

// Inputs lie in [-1, 1], so sum |a||b| is at most K.
void expect_close(const Twins& twins, uint32_t region, double terms) {
  const auto got = twins.vulkan<float>(region), want = twins.reference<float>(region);
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(double{got[i]} - want[i]));
  EXPECT_LE(worst, 2 * (terms + 2) * 0x1p-24 * terms);
  EXPECT_GT(std::ranges::count_if(want, [](float value) { return value != 0; }), 0);
}

struct Types {
  uint8_t a, b;
};
constexpr Types kNarrow[] = {
    {KAWARA_DTYPE_f16, KAWARA_DTYPE_f16}, {KAWARA_DTYPE_bf16, KAWARA_DTYPE_bf16}, {kF32, KAWARA_DTYPE_bf16}, {KAWARA_DTYPE_f16, kF32}};

uint32_t local(Twins& twins, const std::vector<float>& values, uint8_t dtype) {
  return dtype == kF32 ? twins.local(values) : twins.local(narrow(values, dtype).bits);
}

hw::Section store_sums(uint32_t out, uint8_t type, std::vector<kawara_coord> coords) {
  hw::Section section;
  section.acc_group = 1;
  section.streams = {stream(out, type, 0, static_cast<uint8_t>(coords.size()))};
  section.coords = std::move(coords);
  section.instrs = {store(type, accumulator(0), 0)};
  section.phases = {once(1)};
  return section;
}

struct GemmShape {
  uint32_t G, M, N, K;
  bool transposed_b;
};

class VulkanGemm : public testing::TestWithParam<std::tuple<int, GemmShape>> {
 protected:
  void expect_within_bound(const Types& types) const;
};

void VulkanGemm::expect_within_bound(const Types& types) const {
  SCOPED_TRACE(testing::Message() << int{types.a} << " by " << int{types.b});
  const auto [way, shape] = GetParam();
  const auto [G, M, N, K, transposed] = shape;
  Twins twins(kWays[way]);
  const auto a = local(twins, noise(size_t{G} * M * K, 1), types.a), b = local(twins, noise(size_t{K} * N, 2), types.b),
             out = twins.local(std::vector<float>(size_t{G} * M * N));
  auto gemm = hw::blank<kawara_gemm>();
  gemm.G = G, gemm.M = M, gemm.N = N, gemm.K = K;
  gemm.acc_dtype = kF32;
  gemm.a.data = hw::operand(a, 0), gemm.b.data = hw::operand(b, 0);
  gemm.a.dtype = types.a, gemm.b.dtype = types.b;
  gemm.a.stride[0] = int64_t{M} * K, gemm.a.stride[2] = K, gemm.a.stride[3] = 1;
  gemm.b.stride[2] = transposed ? 1 : N, gemm.b.stride[3] = transposed ? K : 1;
  const auto section = store_sums(out, kF32, {coord(int64_t{M} * N, G, {{0, 1}}), coord(N, M, {{2, 1}}), coord(1, N, {{3, 1}})});
  twins.run(gemm, &section);
  expect_close(twins, out, K);
}

TEST_P(VulkanGemm, IsWithinTheBound) { expect_within_bound({kF32, kF32}); }
TEST_P(VulkanGemm, OfSixteenBitsIsWithinTheBound) {
  for (const Types& types : kNarrow) expect_within_bound(types);
}
INSTANTIATE_TEST_SUITE_P(Shapes, VulkanGemm,
                         testing::Combine(testing::Range(0, 2),
                                          testing::Values(GemmShape{1, 40, 120, 64, false}, GemmShape{1, 33, 65, 70, true},
                                                          GemmShape{3, 9, 100, 17, false}, GemmShape{1, 1, 200, 128, false},
                                                          GemmShape{1, 200, 1, 128, false}, GemmShape{2, 50, 7, 300, true},
                                                          // More rows than one dispatch has tiles.
                                                          GemmShape{1, 2100, 40, 16, false},
                                                          // Nine tiles of rows, in two blocks, and more columns than a dispatch has.
                                                          GemmShape{1, 72, 7300, 8, false}, GemmShape{1, 36, 7300, 8, false},
                                                          // Whole chunks of terms, some of each size, and terms that fill none.
                                                          GemmShape{1, 64, 64, 64, false}, GemmShape{2, 37, 50, 123, false},
                                                          GemmShape{3, 20, 33, 240, true}, GemmShape{1, 300, 9, 85, true},
                                                          // More than one slice of time.
                                                          GemmShape{1, 3, 2000, 3000, false}, GemmShape{1, 400, 400, 700, false})));

// Tiles reach behind the operands' ends: what lies there is nobody's result.
TEST(VulkanGemm, MakesNothingOfWhatLiesBehindItsOperands) {
  constexpr uint32_t M = 37, N = 45, K = 99;
  Twins twins;
  const auto nothing = [&] { return twins.local(std::vector<float>(5000, NAN)); };
  const auto a = twins.local(noise(M * K, 1));
  nothing();
  const auto b = twins.local(noise(K * N, 2));
  nothing();
  const auto out = twins.local(std::vector<float>(M * N));
  auto gemm = hw::blank<kawara_gemm>();
  gemm.M = M, gemm.N = N, gemm.K = K;
  gemm.acc_dtype = gemm.a.dtype = gemm.b.dtype = kF32;
  gemm.a.data = hw::operand(a, 0), gemm.b.data = hw::operand(b, 0);
  gemm.a.stride[2] = K, gemm.a.stride[3] = 1, gemm.b.stride[2] = N, gemm.b.stride[3] = 1;
  const auto section = store_sums(out, kF32, {coord(N, M, {{2, 1}}), coord(1, N, {{3, 1}})});
  twins.run(gemm, &section);
  expect_close(twins, out, K);
}

// Rows of weights and columns of inputs that are no neighbours, or the same one over and over.
TEST(VulkanGemm, OfOperandsThatLieAcrossIsWithinTheBound) {
  constexpr uint32_t H = 3, M = 40, N = 50, K = 80;
  Twins twins;
  const auto a = twins.local(noise(M * K, 1)), b = twins.local(noise(N, 2)), out = twins.local(std::vector<float>(H * M * N));
  auto gemm = hw::blank<kawara_gemm>();
  gemm.H = H, gemm.M = M, gemm.N = N, gemm.K = K;
  gemm.acc_dtype = gemm.a.dtype = gemm.b.dtype = kF32;
  gemm.a.data = hw::operand(a, 0), gemm.b.data = hw::operand(b, 0);
  gemm.a.stride[2] = 1, gemm.a.stride[3] = M, gemm.b.stride[2] = 0, gemm.b.stride[3] = 1;
  const auto section = store_sums(out, kF32, {coord(M * N, H, {{1, 1}}), coord(N, M, {{2, 1}}), coord(1, N, {{3, 1}})});
  twins.run(gemm, &section);
  expect_close(twins, out, K);
}

TEST(VulkanGemm, IsReplayedWithOtherAddressesWithoutRecordingAnything) {
  constexpr uint32_t M = 64, N = 64, K = 64;
  Twins twins;
  const auto context = std::make_shared<emulator::vulkan::VulkanContext>("");
  emulator::vulkan::VulkanExecutor executor(context, twins.memory(0).local(), twins.memory(0).sram());
  const auto a = twins.local(std::vector<float>(M * K, 1)), b = twins.local(std::vector<float>(K * N, 2)),
             out = twins.local(std::vector<float>(M * N));
  auto gemm = hw::blank<kawara_gemm>();
  gemm.M = M, gemm.N = N, gemm.K = K;
  gemm.acc_dtype = gemm.a.dtype = gemm.b.dtype = kF32;
  gemm.a.data = hw::operand(a, 0), gemm.b.data = hw::operand(b, 0);
  gemm.a.stride[2] = K, gemm.a.stride[3] = 1, gemm.b.stride[2] = N, gemm.b.stride[3] = 1;
  hw::Commands commands;
  const auto section = store_sums(out, kF32, {coord(N, M, {{2, 1}}), coord(1, N, {{3, 1}})});
  commands.append(hw::encode(gemm, &section));
  for (float value = 1; value < 8; ++value) {
    twins.fill<float>(a, value);
    executor.run(twins.job(commands, 0), 0, 1, Twins::quiet());
    EXPECT_EQ(twins.vulkan<float>(out), std::vector<float>(M * N, value * 2 * K));
    for (const uint32_t region : {a, b, out}) twins.move(region);
  }
  EXPECT_EQ(executor.commands_recorded(), 1u);
}

// k is cut short, and so is the number of columns, which the epilogue sees in pairs.
TEST(VulkanGemm, ObeysALimitOfEachDimension) {
  constexpr uint32_t M = 12, N = 40, K = 30;
  for (const uint32_t dim : {0u, 2u, 3u, 4u}) {
    for (const int32_t limit : {0, 10, 100}) {
      Twins twins;
      const auto a = twins.local(noise(M * K, 1)), b = twins.local(noise(K * N, 2)), out = twins.local(noise(M * N / 2, 3));
      const auto limits = twins.local(std::vector<int32_t>{limit});
      auto gemm = hw::blank<kawara_gemm>();
      gemm.header.flags = dim;
      gemm.header.limit = hw::operand(limits, 0);
      gemm.M = M, gemm.N = N, gemm.K = K;
      gemm.acc_dtype = gemm.a.dtype = gemm.b.dtype = kF32;
      gemm.a.data = hw::operand(a, 0), gemm.b.data = hw::operand(b, 0);
      gemm.a.stride[2] = K, gemm.a.stride[3] = 1, gemm.b.stride[2] = N, gemm.b.stride[3] = 1;
      auto section = store_sums(out, kF32, {coord(N / 2, M, {{2, 1}}), coord(1, N / 2, {{3, 1}})});
      section.acc_group = 2;
      section.instrs = {instr(KAWARA_OP_sub, kF32, 0, accumulator(0), accumulator(1)), store(kF32, 0, 0)};
      section.phases = {once(2)};
      twins.run(gemm, &section);
      SCOPED_TRACE(testing::Message() << "dimension " << dim << ", limit " << limit);
      expect_close(twins, out, 2 * K);
    }
  }
}

TEST(VulkanGemm, OfNoTermsGivesZeros) {
  Twins twins;
  const auto a = twins.local(noise(64, 1)), out = twins.local(noise(64, 2));
  auto gemm = hw::blank<kawara_gemm>();
  gemm.M = gemm.N = 8, gemm.K = 0;
  gemm.acc_dtype = gemm.a.dtype = gemm.b.dtype = kF32;
  gemm.a.data = gemm.b.data = hw::operand(a, 0);
  const auto section = store_sums(out, kF32, {coord(8, 8, {{2, 1}}), coord(1, 8, {{3, 1}})});
  twins.run(gemm, &section);
  EXPECT_EQ(twins.vulkan<uint32_t>(out), std::vector<uint32_t>(64, 0));
}

// u8 times i4 with zero points: i32 sums are exact.
TEST(VulkanGemm, OfIntegersWithZeroPointsIsExact) {
  constexpr uint32_t M = 21, N = 35, K = 52;
  Twins twins;
  const auto a = twins.local(random_elements(DType::u8, M * K, 1)), b = twins.local(random_elements(DType::i4, K * (N + 1), 2));
  const auto a_zero = twins.local(std::vector<uint8_t>{117}), b_zero = twins.local(random_elements(DType::i8, N, 3));
  const auto out = twins.local(std::vector<int32_t>(M * N));
  auto gemm = hw::blank<kawara_gemm>();
  gemm.M = M, gemm.N = N, gemm.K = K;
  gemm.acc_dtype = kI32;
  gemm.a.data = hw::operand(a, 0), gemm.b.data = hw::operand(b, 0);
  gemm.a.zero = hw::operand(a_zero, 0), gemm.b.zero = hw::operand(b_zero, 0);
  gemm.a.dtype = gemm.a.zero_dtype = KAWARA_DTYPE_u8, gemm.b.dtype = KAWARA_DTYPE_i4, gemm.b.zero_dtype = KAWARA_DTYPE_i8;
  gemm.a.stride[2] = K, gemm.a.stride[3] = 1, gemm.b.stride[2] = N + 1, gemm.b.stride[3] = 1, gemm.b.zero_stride[3] = 1;
  const auto section = store_sums(out, kI32, {coord(N, M, {{2, 1}}), coord(1, N, {{3, 1}})});
  twins.run(gemm, &section);
  EXPECT_EQ(twins.vulkan<int32_t>(out), twins.reference<int32_t>(out));
}

// Weights in blocks of 16 along k, each with its own scale.
TEST(VulkanGemm, OfScaledBlocksIsWithinTheBound) {
  constexpr uint32_t M = 10, N = 24, K = 64;
  Twins twins;
  const auto a = twins.local(noise(M * K, 1)), b = twins.local(random_elements(DType::i8, K * N, 2)),
             scale = twins.local(noise(K / 16 * N, 3));
  const auto out = twins.local(std::vector<float>(M * N));
  auto gemm = hw::blank<kawara_gemm>();
  gemm.M = M, gemm.N = N, gemm.K = K;
  gemm.acc_dtype = gemm.a.dtype = gemm.b.scale_dtype = kF32, gemm.b.dtype = KAWARA_DTYPE_i8;
  gemm.a.data = hw::operand(a, 0), gemm.b.data = hw::operand(b, 0), gemm.b.scale = hw::operand(scale, 0);
  gemm.a.stride[2] = K, gemm.a.stride[3] = 1, gemm.b.stride[2] = N, gemm.b.stride[3] = 1;
  gemm.b.block_k = 16, gemm.b.scale_stride[2] = N, gemm.b.scale_stride[3] = 1;
  const auto section = store_sums(out, kF32, {coord(N, M, {{2, 1}}), coord(1, N, {{3, 1}})});
  twins.run(gemm, &section);
  expect_close(twins, out, K * 128);
}

// SwiGLU's shape: two neighbouring columns arrive together.
TEST(VulkanGemm, HandsNeighbouringColumnsToTheEpilogueTogether) {
  constexpr uint32_t M = 12, N = 40, K = 30;
  Twins twins;
  const auto a = twins.local(noise(M * K, 1)), b = twins.local(noise(K * N, 2)), out = twins.local(std::vector<float>(M * N / 2));
  auto gemm = hw::blank<kawara_gemm>();
  gemm.M = M, gemm.N = N, gemm.K = K;
  gemm.acc_dtype = gemm.a.dtype = gemm.b.dtype = kF32;
  gemm.a.data = hw::operand(a, 0), gemm.b.data = hw::operand(b, 0);
  gemm.a.stride[2] = K, gemm.a.stride[3] = 1, gemm.b.stride[2] = N, gemm.b.stride[3] = 1;
  auto section = store_sums(out, kF32, {coord(N / 2, M, {{2, 1}}), coord(1, N / 2, {{3, 1}})});
  section.acc_group = 2;
  section.instrs = {instr(KAWARA_OP_sub, kF32, 0, accumulator(0), accumulator(1)), store(kF32, 0, 0)};
  section.phases = {once(2)};
  twins.run(gemm, &section);
  expect_close(twins, out, 2 * K);
}

struct ConvShape {
  uint32_t groups, IC, OC, in, kernel;
  uint16_t stride, dilation;
  int32_t pad;
  bool transposed;
};

class VulkanConv : public testing::TestWithParam<std::tuple<int, ConvShape>> {
 protected:
  void expect_within_bound(const Types& types) const;
};

void VulkanConv::expect_within_bound(const Types& types) const {
  SCOPED_TRACE(testing::Message() << int{types.a} << " by " << int{types.b});
  const auto [way, s] = GetParam();
  const uint32_t reach = s.dilation * (s.kernel - 1) + 1;
  const uint32_t out_extent = s.transposed ? (s.in - 1) * s.stride + reach - 2 * static_cast<uint32_t>(s.pad)
                                           : (s.in + 2 * static_cast<uint32_t>(s.pad) - reach) / s.stride + 1;
  const uint32_t width = s.in + 3, out_width = out_extent + (s.transposed ? 3 * s.stride : 3 / s.stride);
  constexpr uint32_t kBatch = 2;
  const uint32_t channels = s.groups * s.OC;
  Twins twins(kWays[way]);
  const auto a = local(twins, noise(size_t{kBatch} * s.groups * s.IC * s.in * width, 1), types.a);
  const auto b = local(twins, noise(size_t{channels} * s.IC * s.kernel * s.kernel, 2), types.b), bias = twins.local(noise(channels, 3));
  const auto out = twins.local(std::vector<float>(size_t{kBatch} * channels * out_extent * out_width));
  auto conv = hw::blank<kawara_conv>();
  conv.N = kBatch, conv.groups = s.groups, conv.IC = s.IC, conv.OC = s.OC;
  conv.in[1] = s.in, conv.in[2] = width, conv.out[1] = out_extent, conv.out[2] = out_width;
  for (int i = 1; i < 3; ++i) conv.kernel[i] = s.kernel, conv.stride[i] = s.stride, conv.dilation[i] = s.dilation, conv.pad[i] = s.pad;
  conv.flags = s.transposed ? KAWARA_CONV_TRANSPOSED : 0;
  conv.acc_dtype = kF32, conv.a_dtype = types.a, conv.b_dtype = types.b;
  conv.a = hw::operand(a, 0), conv.b = hw::operand(b, 0);
  const int64_t plane = int64_t{s.in} * width, taps = int64_t{s.kernel} * s.kernel, out_plane = int64_t{out_extent} * out_width;
  const int64_t a_stride[] = {plane * s.IC * s.groups, plane * s.IC, plane, 0, width, 1};
  const int64_t b_stride[] = {taps * s.IC * s.OC, taps * s.IC, taps, 0, s.kernel, 1};
  std::ranges::copy(a_stride, conv.a_stride);
  std::ranges::copy(b_stride, conv.b_stride);
  auto section = store_sums(out, kF32,
                            {coord(out_plane * channels, kBatch, {{0, 1}}), coord(out_plane, channels, {{1, 1}}),
                             coord(out_width, out_extent, {{3, 1}}), coord(1, out_width, {{4, 1}}), coord(1, channels, {{1, 1}})});
  section.n_in = 1;
  section.streams = {stream(bias, kF32, 4, 1), stream(out, kF32, 0, 4)};
  section.instrs = {load(kF32, 0, 0), instr(KAWARA_OP_add, kF32, 0, 0, accumulator(0)), store(kF32, 0, 1)};
  section.phases = {once(3)};
  twins.run(conv, &section);
  expect_close(twins, out, static_cast<double>(s.IC * taps + 1));
}

TEST_P(VulkanConv, IsWithinTheBound) { expect_within_bound({kF32, kF32}); }
TEST_P(VulkanConv, OfSixteenBitsIsWithinTheBound) {
  for (const Types& types : kNarrow) expect_within_bound(types);
}
INSTANTIATE_TEST_SUITE_P(
    Shapes, VulkanConv,
    testing::Combine(testing::Range(0, 2),
                     testing::Values(ConvShape{1, 16, 24, 9, 1, 1, 1, 0, false}, ConvShape{1, 3, 16, 17, 3, 2, 1, 1, false},
                                     ConvShape{12, 1, 1, 10, 5, 1, 1, 2, false}, ConvShape{12, 1, 1, 11, 3, 2, 1, 1, false},
                                     ConvShape{5, 1, 1, 24, 3, 1, 3, 2, false}, ConvShape{9, 1, 1, 20, 7, 1, 1, 0, false},
                                     ConvShape{3, 1, 1, 14, 3, 1, 1, -1, false}, ConvShape{8, 1, 1, 4, 3, 1, 1, 1, false},
                                     ConvShape{2, 6, 10, 12, 3, 1, 2, 2, false}, ConvShape{1, 5, 9, 6, 3, 2, 1, 1, true},
                                     ConvShape{3, 1, 1, 6, 3, 2, 1, 1, true},
                                     // Enough terms for lanes: points, strided points, windows, strides, dilation, groups.
                                     ConvShape{1, 64, 30, 14, 1, 1, 1, 0, false}, ConvShape{1, 48, 20, 19, 1, 2, 1, 0, false},
                                     ConvShape{1, 32, 18, 13, 3, 1, 1, 1, false}, ConvShape{1, 3, 32, 40, 7, 2, 1, 3, false},
                                     ConvShape{1, 20, 12, 20, 3, 1, 2, 2, false}, ConvShape{3, 16, 8, 16, 3, 1, 1, 1, false},
                                     ConvShape{3, 16, 6, 16, 3, 1, 1, 1, false}, ConvShape{1, 24, 12, 18, 5, 1, 1, 2, false},
                                     ConvShape{1, 32, 16, 18, 3, 1, 1, 0, false}, ConvShape{1, 32, 16, 18, 3, 1, 1, -1, false},
                                     ConvShape{1, 40, 12, 7, 3, 1, 1, 2, false},
                                     // Transposed on lanes: phases with and without border, of several sizes, in groups.
                                     ConvShape{1, 24, 12, 14, 4, 2, 1, 1, true}, ConvShape{1, 32, 16, 9, 2, 2, 1, 0, true},
                                     ConvShape{1, 40, 8, 11, 5, 3, 1, 2, true}, ConvShape{2, 24, 8, 10, 3, 2, 1, 1, true},
                                     ConvShape{1, 32, 16, 12, 3, 1, 1, 2, true}, ConvShape{1, 32, 16, 12, 2, 3, 1, 0, true},
                                     // Windows of some lines at a time.
                                     ConvShape{1, 64, 5, 60, 3, 1, 1, 1, false}, ConvShape{1, 64, 5, 120, 3, 2, 1, 1, false},
                                     // More than one slice of time.
                                     ConvShape{64, 1, 1, 96, 5, 1, 1, 2, false})));

// Along x all lies in the padding, so that no stride of the input is bounded. The sanitizer watches the sums.
TEST(VulkanConv, OfPaddingAloneMayHaveAnyStride) {
  for (const uint32_t IC : {1u, 64u})  // few terms, and enough for lanes
    for (const uint32_t flags : {0u, KAWARA_CONV_TRANSPOSED}) {
      SCOPED_TRACE(testing::Message() << IC << " channels, flags " << flags);
      constexpr uint32_t OC = 8;
      Twins twins;
      const auto a = twins.local(noise(IC * 8, 1)), b = twins.local(noise(OC * IC, 2)), out = twins.local(std::vector<float>(OC * 16, 9));
      auto conv = hw::blank<kawara_conv>();
      conv.IC = IC, conv.OC = OC;
      conv.in[1] = conv.out[1] = 8, conv.out[2] = 2, conv.pad[2] = 64;
      conv.flags = flags;
      conv.acc_dtype = conv.a_dtype = conv.b_dtype = kF32;
      conv.a = hw::operand(a, 0), conv.b = hw::operand(b, 0);
      std::ranges::fill(conv.a_stride, INT64_MIN / 3);
      conv.b_stride[1] = IC, conv.b_stride[2] = 1;
      const auto section = store_sums(out, kF32, {coord(16, OC, {{1, 1}}), coord(2, 8, {{3, 1}}), coord(1, 2, {{4, 1}})});
      twins.run(conv, &section);
      EXPECT_EQ(twins.vulkan<float>(out), std::vector<float>(OC * 16, 0.0f));
      EXPECT_EQ(twins.reference<float>(out), std::vector<float>(OC * 16, 0.0f));
    }
}

// Sums of nothing are zeros that the epilogue sees, and a border wider than the input is no reason to copy it.
TEST(VulkanConv, OfNoTapsOrAWideBorderIsWhatTheReferenceSays) {
  for (const auto& [kernel, pad] : {std::pair{0u, 0}, {3u, 300}}) {
    for (const uint32_t groups : {1u, 12u}) {
      SCOPED_TRACE(testing::Message() << kernel << " taps, pad " << pad << ", groups " << groups);
      constexpr uint32_t C = 12, IN = 10;
      const uint32_t out_extent = kernel == 0 ? IN : IN + 2 * static_cast<uint32_t>(pad) - 2;
      Twins twins;
      const auto a = twins.local(noise(C * IN * IN, 1)), b = twins.local(noise(C * C * 9, 2)),
                 out = twins.local(std::vector<float>(size_t{C} * out_extent * out_extent, 7));
      auto conv = hw::blank<kawara_conv>();
      conv.groups = groups;
      conv.IC = conv.OC = C / groups;
      for (int i = 1; i < 3; ++i) conv.in[i] = IN, conv.out[i] = out_extent, conv.kernel[i] = kernel, conv.pad[i] = pad;
      conv.acc_dtype = conv.a_dtype = conv.b_dtype = kF32;
      conv.a = hw::operand(a, 0), conv.b = hw::operand(b, 0);
      const int64_t a_stride[] = {0, IN * IN * conv.IC, IN * IN, 0, IN, 1}, b_stride[] = {9 * conv.IC * conv.OC, 9 * conv.IC, 9, 0, 3, 1};
      std::ranges::copy(a_stride, conv.a_stride);
      std::ranges::copy(b_stride, conv.b_stride);
      const auto section = store_sums(
          out, kF32,
          {coord(int64_t{out_extent} * out_extent, C, {{1, 1}}), coord(out_extent, out_extent, {{3, 1}}), coord(1, out_extent, {{4, 1}})});
      twins.run(conv, &section);
      const auto got = twins.vulkan<float>(out), want = twins.reference<float>(out);
      for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-4) << i;
    }
  }
}

// What a squeeze-and-excitation block does: a convolution of a single position.
TEST(VulkanConv, OfOnePositionIsWithinTheBound) {
  constexpr uint32_t IC = 96, OC = 40, IN = 3;
  Twins twins;
  const auto a = twins.local(noise(IC * IN * IN, 1)), b = twins.local(noise(IC * OC, 2)), out = twins.local(std::vector<float>(OC));
  auto conv = hw::blank<kawara_conv>();
  conv.IC = IC, conv.OC = OC;
  conv.acc_dtype = conv.a_dtype = conv.b_dtype = kF32;
  conv.a = hw::operand(a, 0), conv.b = hw::operand(b, 0);
  conv.b_stride[1] = IC, conv.b_stride[2] = 1;
  const auto section = store_sums(out, kF32, {coord(1, OC, {{1, 1}})});
  // The second is a corner of more positions, reached by a stride that has nowhere to go.
  for (const uint32_t in : {1u, IN}) {
    for (int i = 1; i < 3; ++i) conv.in[i] = in, conv.stride[i] = in;
    conv.a_stride[2] = in * in, conv.a_stride[4] = in, conv.a_stride[5] = 1;
    twins.run(conv, &section);
    expect_close(twins, out, IC);
  }
}

// A stride beyond 2 GiB, though of a dimension with a single value.
TEST(VulkanConv, OfInputsFarApartIsWithinTheBound) {
  constexpr uint32_t C = 8, IN = 7;
  Twins twins;
  const auto a = twins.local(noise(C * IN * IN, 1)), b = twins.local(noise(C * C * 9, 2)),
             out = twins.local(std::vector<float>(C * IN * IN));
  auto conv = hw::blank<kawara_conv>();
  conv.IC = conv.OC = C;
  for (int i = 1; i < 3; ++i) conv.in[i] = conv.out[i] = IN, conv.kernel[i] = 3, conv.pad[i] = 1;
  conv.acc_dtype = conv.a_dtype = conv.b_dtype = kF32;
  conv.a = hw::operand(a, 0), conv.b = hw::operand(b, 0);
  conv.a_stride[2] = IN * IN, conv.a_stride[3] = int64_t{1} << 36, conv.a_stride[4] = IN, conv.a_stride[5] = 1;
  conv.b_stride[1] = C * 9, conv.b_stride[2] = 9, conv.b_stride[4] = 3, conv.b_stride[5] = 1;
  const auto section = store_sums(out, kF32, {coord(IN * IN, C, {{1, 1}}), coord(IN, IN, {{3, 1}}), coord(1, IN, {{4, 1}})});
  twins.run(conv, &section);
  expect_close(twins, out, C * 9);
}

// u8 input whose border holds the zero point, i8 weights.
TEST(VulkanConv, OfIntegersIsExact) {
  constexpr uint32_t C = 4, OC = 5, IN = 8;
  Twins twins;
  const auto a = twins.local(random_elements(DType::u8, C * IN * IN, 1)), b = twins.local(random_elements(DType::i8, OC * C * 9, 2));
  const auto zero = twins.local(std::vector<uint8_t>{130}), out = twins.local(std::vector<int32_t>(OC * IN * IN));
  auto conv = hw::blank<kawara_conv>();
  conv.IC = C, conv.OC = OC;
  for (int i = 1; i < 3; ++i) conv.in[i] = conv.out[i] = IN, conv.kernel[i] = 3, conv.pad[i] = 1;
  conv.acc_dtype = kI32, conv.a_dtype = conv.a_zero_dtype = KAWARA_DTYPE_u8, conv.b_dtype = KAWARA_DTYPE_i8;
  conv.a = hw::operand(a, 0), conv.b = hw::operand(b, 0), conv.a_zero = hw::operand(zero, 0);
  conv.pad_value = 7;
  conv.a_stride[2] = IN * IN, conv.a_stride[4] = IN, conv.a_stride[5] = 1;
  conv.b_stride[1] = C * 9, conv.b_stride[2] = 9, conv.b_stride[4] = 3, conv.b_stride[5] = 1;
  const auto section = store_sums(out, kI32, {coord(IN * IN, OC, {{1, 1}}), coord(IN, IN, {{3, 1}}), coord(1, IN, {{4, 1}})});
  twins.run(conv, &section);
  EXPECT_EQ(twins.vulkan<int32_t>(out), twins.reference<int32_t>(out));
}

}  // namespace
}  // namespace kawara::test
