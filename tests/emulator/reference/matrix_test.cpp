// SPDX-License-Identifier: Apache-2.0
// gemm and conv against loops that know nothing of blocks: same order of every sum, so the same bits.
#include <bit>
#include <cstdint>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/narrow.h"
#include "emulator/reference/machine.h"
#include "emulator/reference/reference.h"

namespace kawara::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

template <typename T>
constexpr uint8_t kAccumulator = std::is_same_v<T, float> ? kF32 : kI32;

// Stores accumulator 0 to a contiguous tensor: all its dimensions make one coordinate.
hw::Section store_accumulator(uint32_t to, uint8_t type, const std::vector<uint32_t>& extents) {
  kawara_coord all = coord(1, 1, {});
  for (size_t dim = extents.size(); dim-- > 0; all.extent *= extents[dim]) all.coef[dim] = static_cast<int32_t>(all.extent);
  return {.acc_group = 1,
          .streams = {stream(to, type, 0, 1)},
          .coords = {all},
          .phases = {once(1)},
          .instrs = {store(type, accumulator(0), 0)}};
}

kawara_gemm contiguous_gemm(uint32_t a, uint32_t b, uint8_t dtype, uint8_t accumulator, uint32_t G, uint32_t H, uint32_t M, uint32_t N,
                            uint32_t K) {
  auto gemm = hw::blank<kawara_gemm>();
  gemm.G = G, gemm.H = H, gemm.M = M, gemm.N = N, gemm.K = K;
  gemm.acc_dtype = accumulator;
  gemm.a.dtype = gemm.b.dtype = dtype;
  gemm.a.data = hw::operand(a, 0);
  gemm.b.data = hw::operand(b, 0);
  const int64_t a_strides[] = {int64_t{H} * M * K, int64_t{M} * K, K, 1}, b_strides[] = {int64_t{H} * K * N, int64_t{K} * N, N, 1};
  std::copy_n(a_strides, 4, gemm.a.stride);
  std::copy_n(b_strides, 4, gemm.b.stride);
  return gemm;
}

struct Shape {
  uint32_t G, H, M, N, K;
};

class Gemm : public ::testing::TestWithParam<Shape> {};

TEST_P(Gemm, AddsItsProductsInAscendingOrder) {
  const auto [G, H, M, N, K] = GetParam();
  Machine machine(emulator::reference_executor());
  const std::vector<float> a = noise(size_t{G} * H * M * K, 1), b = noise(size_t{G} * H * K * N, 2);
  const uint32_t to = machine.local(std::vector<float>(size_t{G} * H * M * N, 9.0f));
  const kawara_gemm gemm = contiguous_gemm(machine.local(a), machine.local(b), kF32, kF32, G, H, M, N, K);
  const hw::Section section = store_accumulator(to, kF32, {G, H, M, N});
  machine.run(gemm, &section);
  std::vector<float> expected;
  for (size_t gh = 0; gh < size_t{G} * H; ++gh) {
    for (size_t m = 0; m < M; ++m) {
      for (size_t n = 0; n < N; ++n) {
        float sum = 0;
        for (size_t k = 0; k < K; ++k) sum += a[(gh * M + m) * K + k] * b[(gh * K + k) * N + n];
        expected.push_back(sum);
      }
    }
  }
  EXPECT_EQ(bits_of(machine.read<float>(to, expected.size())), bits_of(expected));
}
INSTANTIATE_TEST_SUITE_P(Shapes, Gemm,
                         ::testing::Values(Shape{1, 1, 1, 1, 1}, Shape{1, 1, 1, 1000, 3}, Shape{2, 3, 5, 7, 11}, Shape{1, 1, 70, 250, 300},
                                           Shape{1, 2, 65, 8, 513}, Shape{1, 1, 3, 5, 0}),
                         [](const auto& test) {
                           const Shape& s = test.param;
                           return fmt::format("G{}_H{}_M{}_N{}_K{}", s.G, s.H, s.M, s.N, s.K);
                         });

TEST(GemmOperands, StridesTransposeAndBroadcast) {
  Machine machine(emulator::reference_executor());
  const std::vector<float> a = noise(5 * 4, 1), b = noise(6 * 5, 2);  // a[k][m], b[n][k], one b for both g
  const uint32_t to = machine.local(std::vector<float>(2 * 4 * 6));
  kawara_gemm gemm = contiguous_gemm(machine.local(a), machine.local(b), kF32, kF32, 2, 1, 4, 6, 5);
  const int64_t a_strides[] = {0, 0, 1, 4}, b_strides[] = {0, 0, 1, 5};
  std::copy_n(a_strides, 4, gemm.a.stride);
  std::copy_n(b_strides, 4, gemm.b.stride);
  const hw::Section section = store_accumulator(to, kF32, {2, 1, 4, 6});
  machine.run(gemm, &section);
  std::vector<float> expected;
  for (size_t g = 0; g < 2; ++g) {
    for (size_t m = 0; m < 4; ++m) {
      for (size_t n = 0; n < 6; ++n) {
        float sum = 0;
        for (size_t k = 0; k < 5; ++k) sum += a[k * 4 + m] * b[n * 5 + k];
        expected.push_back(sum);
      }
    }
  }
  EXPECT_EQ(machine.read<float>(to, expected.size()), expected);
}

TEST(GemmOperands, OfSixteenBitsAreWidenedAndThenMultipliedInF32) {
  constexpr uint32_t M = 5, N = 7, K = 300;
  const std::vector<float> a = noise(M * K, 1), b = noise(K * N, 2);
  for (const uint8_t a_type : {kF32, uint8_t{KAWARA_DTYPE_f16}, uint8_t{KAWARA_DTYPE_bf16}})
    for (const uint8_t b_type : {uint8_t{KAWARA_DTYPE_f16}, uint8_t{KAWARA_DTYPE_bf16}}) {
      Machine machine(emulator::reference_executor());
      const Narrow right = narrow(b, b_type), left = a_type == kF32 ? Narrow{{}, a} : narrow(a, a_type);
      const uint32_t to = machine.local(std::vector<float>(M * N)), from = a_type == kF32 ? machine.local(a) : machine.local(left.bits);
      kawara_gemm gemm = contiguous_gemm(from, machine.local(right.bits), b_type, kF32, 1, 1, M, N, K);
      gemm.a.dtype = a_type;
      const hw::Section section = store_accumulator(to, kF32, {1, 1, M, N});
      machine.run(gemm, &section);
      std::vector<float> expected;
      for (size_t m = 0; m < M; ++m)
        for (size_t n = 0; n < N; ++n) {
          float sum = 0;
          for (size_t k = 0; k < K; ++k) sum += left.values[m * K + k] * right.values[k * N + n];
          expected.push_back(sum);
        }
      EXPECT_EQ(bits_of(machine.read<float>(to, expected.size())), bits_of(expected)) << int{a_type} << " by " << int{b_type};
    }
}

TEST(GemmOperands, BytesAccumulateInThirtyTwoBits) {
  Machine machine(emulator::reference_executor());
  constexpr uint32_t kTerms = 1000;
  const uint32_t a = machine.local(std::vector<uint8_t>(3 * kTerms, 255)), b = machine.local(std::vector<int8_t>(kTerms * 2, -128));
  const uint32_t to = machine.local(std::vector<int32_t>(6));
  kawara_gemm gemm = contiguous_gemm(a, b, KAWARA_DTYPE_u8, kI32, 1, 1, 3, 2, kTerms);
  gemm.b.dtype = KAWARA_DTYPE_i8;
  const hw::Section section = store_accumulator(to, kI32, {1, 1, 3, 2});
  machine.run(gemm, &section);
  EXPECT_THAT(machine.read<int32_t>(to, 6), Each(-128 * 255 * 1000));
}

TEST(GemmOperands, PlanesGiveScaleAndZeroPoint) {
  Machine machine(emulator::reference_executor());
  // Four terms in two blocks of two: (q - zero) * scale for b; a is plain.
  const uint32_t a = machine.local<float>({1, 1, 1, 1}), b = machine.local<int8_t>({1, 2, 3, 4, 5, 6, 7, 8}),
                 scales = machine.local<float>({1, 10, 100, 1000}), zeros = machine.local<int8_t>({1, 0, 0, 2}),
                 to = machine.local(std::vector<float>(2));
  kawara_gemm gemm = contiguous_gemm(a, b, kF32, kF32, 1, 1, 1, 2, 4);
  gemm.b.dtype = KAWARA_DTYPE_i8;
  gemm.b.scale = hw::operand(scales, 0), gemm.b.zero = hw::operand(zeros, 0);
  gemm.b.scale_dtype = kF32, gemm.b.zero_dtype = KAWARA_DTYPE_i8;
  gemm.b.block_k = 2;
  gemm.b.scale_stride[2] = gemm.b.zero_stride[2] = 2;
  gemm.b.scale_stride[3] = gemm.b.zero_stride[3] = 1;
  const hw::Section section = store_accumulator(to, kF32, {1, 1, 1, 2});
  machine.run(gemm, &section);
  EXPECT_THAT(machine.read<float>(to, 2),
              ElementsAre((1 - 1) + (3 - 1) + 5 * 100 + 7 * 100, 2 * 10 + 4 * 10 + (6 - 2) * 1000 + (8 - 2) * 1000));
}

TEST(Epilogue, AddsABiasAndClamps) {
  Machine machine(emulator::reference_executor());
  const std::vector<float> a = noise(70 * 20, 1), b = noise(20 * 300, 2), bias = noise(300, 3);
  const uint32_t to = machine.local(std::vector<float>(70 * 300));
  const kawara_gemm gemm = contiguous_gemm(machine.local(a), machine.local(b), kF32, kF32, 1, 1, 70, 300, 20);
  const hw::Section section{.n_in = 1,
                            .acc_group = 1,
                            .streams = {stream(machine.local(bias), kF32, 0, 1), stream(to, kF32, 1, 2)},
                            .coords = {coord(1, 300, {{3, 1}}), coord(300, 70, {{2, 1}}), coord(1, 300, {{3, 1}})},
                            .constants = {0},
                            .phases = {once(4)},
                            .instrs = {load(kF32, 0, 0), instr(KAWARA_OP_add, kF32, 0, accumulator(0), 0),
                                       instr(KAWARA_OP_max, kF32, 0, 0, constant(0)), store(kF32, 0, 1)}};
  machine.run(gemm, &section);
  std::vector<float> expected;
  for (size_t m = 0; m < 70; ++m) {
    for (size_t n = 0; n < 300; ++n) {
      float sum = 0;
      for (size_t k = 0; k < 20; ++k) sum += a[m * 20 + k] * b[k * 300 + n];
      expected.push_back(std::max(sum + bias[n], 0.0f));
    }
  }
  EXPECT_EQ(machine.read<float>(to, expected.size()), expected);
}

// Four neighbouring columns arrive together: the gates of a cell.
TEST(Epilogue, NeighbouringColumnsArriveTogether) {
  for (const uint8_t group : {2, 3, 4}) {
    Machine machine(emulator::reference_executor());
    const uint32_t columns = 200u * group;
    const std::vector<float> b = noise(columns, 2);
    const uint32_t to = machine.local(std::vector<float>(200));
    const kawara_gemm gemm = contiguous_gemm(machine.local<float>({1}), machine.local(b), kF32, kF32, 1, 1, 1, columns, 1);
    const uint8_t last = accumulator(group - 1u);
    const hw::Section section{.acc_group = group,
                              .streams = {stream(to, kF32, 0, 1)},
                              .coords = {coord(1, 200, {{3, 1}})},
                              .phases = {once(2)},
                              .instrs = {instr(KAWARA_OP_sub, kF32, 0, accumulator(0), last), store(kF32, 0, 0)}};
    machine.run(gemm, &section);
    std::vector<float> expected;
    for (size_t i = 0; i < 200; ++i) expected.push_back(b[i * group] - b[i * group + group - 1u]);
    EXPECT_EQ(machine.read<float>(to, 200), expected) << int{group};
  }
}

TEST(Epilogue, AnEmptyProductDoesNothing) {
  Machine machine(emulator::reference_executor());
  const uint32_t nothing = machine.local<float>({}), to = machine.local<float>({9});
  const kawara_gemm gemm = contiguous_gemm(nothing, nothing, kF32, kF32, 1, 1, 0, 1, 4);
  const hw::Section section = store_accumulator(to, kF32, {1, 1, 1, 1});
  machine.run(gemm, &section);
  EXPECT_EQ(machine.read<float>(to, 1)[0], 9);
}

struct Window {
  std::string name = {};
  uint32_t N = 1, groups = 1, IC = 1, OC = 1;
  std::array<uint32_t, 3> in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1};
  std::array<uint16_t, 3> stride{1, 1, 1}, dilation{1, 1, 1};
  std::array<int32_t, 3> pad{0, 0, 0};
  bool transposed = false;
};

kawara_conv contiguous_conv(const Window& w, uint32_t a, uint32_t b, uint8_t dtype, uint8_t accumulator) {
  auto conv = hw::blank<kawara_conv>();
  conv.N = w.N, conv.groups = w.groups, conv.IC = w.IC, conv.OC = w.OC;
  std::ranges::copy(w.in, conv.in);
  std::ranges::copy(w.out, conv.out);
  std::ranges::copy(w.kernel, conv.kernel);
  std::ranges::copy(w.stride, conv.stride);
  std::ranges::copy(w.dilation, conv.dilation);
  std::ranges::copy(w.pad, conv.pad);
  conv.flags = w.transposed ? KAWARA_CONV_TRANSPOSED : 0;
  conv.acc_dtype = accumulator;
  conv.a_dtype = conv.b_dtype = dtype;
  conv.a = hw::operand(a, 0);
  conv.b = hw::operand(b, 0);
  const auto strides = [](int64_t* to, std::array<uint32_t, 6> extents) {
    int64_t stride = 1;
    for (size_t dim = 6; dim-- > 0; stride *= extents[dim]) to[dim] = stride;
  };
  strides(conv.a_stride, {w.N, w.groups, w.IC, w.in[0], w.in[1], w.in[2]});
  strides(conv.b_stride, {w.groups, w.OC, w.IC, w.kernel[0], w.kernel[1], w.kernel[2]});
  return conv;
}

// The definition: every tap of the window counts, the border with `border`; transposed, only taps that meet an input.
template <typename T, typename Element>
std::vector<T> convolution(const Window& w, const std::vector<Element>& a, const std::vector<Element>& b, T border) {
  std::vector<T> result;
  const auto tap = [&](size_t n, size_t channel, const std::array<int64_t, 3>& o, const std::array<int64_t, 3>& k) -> T {
    size_t index = n * w.groups * w.IC + channel;
    for (size_t d = 0; d < 3; ++d) {
      int64_t i = o[d] * w.stride[d] + k[d] * w.dilation[d] - w.pad[d];
      if (w.transposed) {
        i = o[d] + w.pad[d] - k[d] * w.dilation[d];
        if (i % w.stride[d] != 0) return T{0};
        i /= w.stride[d];
      }
      if (i < 0 || i >= w.in[d]) return w.transposed ? T{0} : border;
      index = index * w.in[d] + static_cast<size_t>(i);
    }
    return static_cast<T>(a[index]);
  };
  for (size_t n = 0; n < w.N; ++n)
    for (size_t oc = 0; oc < size_t{w.groups} * w.OC; ++oc)
      for (int64_t z = 0; z < w.out[0]; ++z)
        for (int64_t y = 0; y < w.out[1]; ++y)
          for (int64_t x = 0; x < w.out[2]; ++x) {
            T sum = 0;
            size_t weight = oc * w.IC * w.kernel[0] * w.kernel[1] * w.kernel[2];
            for (size_t ic = 0; ic < w.IC; ++ic)
              for (int64_t kz = 0; kz < w.kernel[0]; ++kz)
                for (int64_t ky = 0; ky < w.kernel[1]; ++ky)
                  for (int64_t kx = 0; kx < w.kernel[2]; ++kx)
                    sum += tap(n, oc / w.OC * w.IC + ic, {z, y, x}, {kz, ky, kx}) * static_cast<T>(b[weight++]);
            result.push_back(sum);
          }
  return result;
}

class Conv : public ::testing::TestWithParam<Window> {
 protected:
  template <typename T, typename Element>
  std::vector<T> run(const std::vector<Element>& a, const std::vector<Element>& b, uint8_t dtype, uint32_t pad_value) {
    const Window& w = GetParam();
    const std::vector<uint32_t> extents = {w.N, w.groups * w.OC, w.out[0], w.out[1], w.out[2]};
    size_t count = 1;
    for (const uint32_t extent : extents) count *= extent;
    const uint32_t to = machine.local(std::vector<T>(count, T{9}));
    kawara_conv conv = contiguous_conv(w, machine.local(a), machine.local(b), dtype, kAccumulator<T>);
    conv.pad_value = pad_value;
    const hw::Section section = store_accumulator(to, kAccumulator<T>, extents);
    machine.run(conv, &section);
    return machine.read<T>(to, count);
  }
  size_t inputs() const {
    return size_t{GetParam().N} * GetParam().groups * GetParam().IC * GetParam().in[0] * GetParam().in[1] * GetParam().in[2];
  }
  size_t weights() const {
    return size_t{GetParam().groups} * GetParam().OC * GetParam().IC * GetParam().kernel[0] * GetParam().kernel[1] * GetParam().kernel[2];
  }

  Machine machine{emulator::reference_executor()};
};

TEST_P(Conv, HasTheBitsOfItsDefinition) {
  const std::vector<float> a = noise(inputs(), 1), b = noise(weights(), 2);
  EXPECT_EQ(bits_of(run<float>(a, b, kF32, 0)), bits_of(convolution<float>(GetParam(), a, b, 0.0f)));
}

TEST_P(Conv, PadsWithItsPadValue) {
  const std::vector<float> a = noise(inputs(), 3), b = noise(weights(), 4);
  EXPECT_EQ(bits_of(run<float>(a, b, kF32, std::bit_cast<uint32_t>(-1.5f))), bits_of(convolution<float>(GetParam(), a, b, -1.5f)));
}

TEST_P(Conv, WidensElementsOfSixteenBits) {
  for (const uint8_t dtype : {KAWARA_DTYPE_f16, KAWARA_DTYPE_bf16}) {
    const Narrow a = narrow(noise(inputs(), 5), dtype), b = narrow(noise(weights(), 6), dtype);
    // the pad is an f32, whatever the type
    EXPECT_EQ(bits_of(run<float>(a.bits, b.bits, dtype, std::bit_cast<uint32_t>(-0.1f))),
              bits_of(convolution<float>(GetParam(), a.values, b.values, -0.1f)));
  }
}

TEST_P(Conv, IsExactInIntegers) {
  std::vector<uint8_t> a(inputs()), b(weights());
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<uint8_t>(i * 37);
  for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<uint8_t>(i * 91 + 5);
  EXPECT_EQ(run<int32_t>(a, b, KAWARA_DTYPE_u8, 128), convolution<int32_t>(GetParam(), a, b, 128));
}

// Along x all lies in the padding, so that no stride is bounded. The sanitizer watches the sums.
TEST(ConvOfPaddingAlone, MayHaveAnyStride) {
  for (const bool transposed : {false, true}) {
    Machine machine{emulator::reference_executor()};
    Window w{.in = {1, 8, 1}, .out = {1, 8, 2}, .pad = {0, 0, 64}, .transposed = transposed};
    const uint32_t to = machine.local(std::vector<float>(16, 9.0f));
    const uint32_t a = machine.local(std::vector<float>(8, 3.0f)), b = machine.local(std::vector<float>{2.0f});
    kawara_conv conv = contiguous_conv(w, a, b, kF32, kAccumulator<float>);
    std::ranges::fill(conv.a_stride, INT64_MIN / 3);
    const hw::Section section = store_accumulator(to, kAccumulator<float>, {1, 1, 1, 8, 2});
    machine.run(conv, &section);
    EXPECT_THAT(machine.read<float>(to, 16), ::testing::Each(0.0f));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Windows, Conv,
    ::testing::Values(
        Window{.name = "Pointwise", .IC = 5, .OC = 7, .in = {1, 3, 4}, .out = {1, 3, 4}},
        Window{
            .name = "ManyTermsAndChannels", .IC = 40, .OC = 250, .in = {1, 5, 6}, .out = {1, 5, 6}, .kernel = {1, 3, 3}, .pad = {0, 1, 1}},
        Window{.name = "RowsLongerThanABlock",
               .N = 2,
               .IC = 2,
               .OC = 3,
               .in = {1, 2, 150},
               .out = {1, 2, 150},
               .kernel = {1, 1, 3},
               .pad = {0, 0, 1}},
        Window{.name = "Strided",
               .IC = 3,
               .OC = 4,
               .in = {1, 11, 12},
               .out = {1, 6, 6},
               .kernel = {1, 3, 3},
               .stride = {1, 2, 2},
               .pad = {0, 1, 1}},
        Window{.name = "Dilated",
               .IC = 2,
               .OC = 2,
               .in = {1, 9, 9},
               .out = {1, 9, 9},
               .kernel = {1, 3, 3},
               .dilation = {1, 2, 3},
               .pad = {0, 2, 3}},
        Window{.name = "Grouped", .groups = 3, .IC = 4, .OC = 5, .in = {1, 6, 6}, .out = {1, 6, 6}, .kernel = {1, 3, 3}, .pad = {0, 1, 1}},
        Window{.name = "Depthwise", .groups = 300, .in = {1, 7, 7}, .out = {1, 7, 7}, .kernel = {1, 3, 3}, .pad = {0, 1, 1}},
        Window{.name = "NegativePadCrops", .in = {1, 1, 9}, .out = {1, 1, 5}, .kernel = {1, 1, 2}, .pad = {0, 0, -3}},
        Window{.name = "PadBeyondTheInput", .in = {1, 1, 2}, .out = {1, 1, 12}, .kernel = {1, 1, 2}, .pad = {0, 0, 5}},
        Window{.name = "Volume", .IC = 2, .OC = 3, .in = {4, 5, 6}, .out = {4, 5, 6}, .kernel = {3, 3, 3}, .pad = {1, 1, 1}},
        Window{.name = "Transposed",
               .IC = 3,
               .OC = 2,
               .in = {1, 4, 5},
               .out = {1, 8, 10},
               .kernel = {1, 4, 4},
               .stride = {1, 2, 2},
               .pad = {0, 1, 1},
               .transposed = true},
        Window{.name = "NoTerms", .IC = 0, .OC = 2, .in = {1, 3, 3}, .out = {1, 3, 3}}),
    [](const auto& test) { return test.param.name; });

TEST(ConvEpilogue, GroupsOfChannelsCrossConvolutionGroups) {
  Machine machine(emulator::reference_executor());
  const Window w{.name = "", .groups = 8, .in = {1, 1, 3}, .out = {1, 1, 3}};
  const std::vector<float> a = noise(24, 1), b(8, 1.0f);
  const uint32_t to = machine.local(std::vector<float>(6));
  const kawara_conv conv = contiguous_conv(w, machine.local(a), machine.local(b), kF32, kF32);
  const hw::Section section{.acc_group = 4,
                            .streams = {stream(to, kF32, 0, 2)},
                            .coords = {coord(3, 2, {{1, 1}}), coord(1, 3, {{4, 1}})},
                            .phases = {once(2)},
                            .instrs = {instr(KAWARA_OP_sub, kF32, 0, accumulator(1), accumulator(3)), store(kF32, 0, 0)}};
  machine.run(conv, &section);
  std::vector<float> expected;
  for (size_t channel : {0u, 4u})
    for (size_t x = 0; x < 3; ++x) expected.push_back(a[(channel + 1) * 3 + x] - a[(channel + 3) * 3 + x]);
  EXPECT_EQ(machine.read<float>(to, 6), expected);
}

TEST(ConvPlanes, GiveZeroPointsAndScales) {
  Machine machine(emulator::reference_executor());
  const Window w{.name = "", .IC = 2, .OC = 2, .in = {1, 1, 2}, .out = {1, 1, 2}};
  kawara_conv conv =
      contiguous_conv(w, machine.local<uint8_t>({130, 128, 120, 131}), machine.local<int8_t>({2, 3, 4, 5}), KAWARA_DTYPE_u8, kF32);
  conv.b_dtype = KAWARA_DTYPE_i8;
  conv.a_zero = hw::operand(machine.local<uint8_t>({128}), 0), conv.a_zero_dtype = KAWARA_DTYPE_u8;
  conv.b_zero = hw::operand(machine.local<int8_t>({1, 0}), 0), conv.b_zero_dtype = KAWARA_DTYPE_i8, conv.b_zero_stride[1] = 1;
  conv.b_scale = hw::operand(machine.local<float>({0.5f, 2.0f}), 0), conv.b_scale_dtype = kF32, conv.b_scale_stride[1] = 1;
  const uint32_t to = machine.local(std::vector<float>(4));
  const hw::Section section = store_accumulator(to, kF32, {1, 2, 1, 1, 2});
  machine.run(conv, &section);
  EXPECT_THAT(machine.read<float>(to, 4), ElementsAre(2 * 0.5 + -8 * 1, 0 * 0.5 + 3 * 1, 2 * 8 + -8 * 10, 0 * 8 + 3 * 10));
}

}  // namespace
}  // namespace kawara::test
