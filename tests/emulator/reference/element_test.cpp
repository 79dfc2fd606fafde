// SPDX-License-Identifier: Apache-2.0
// Loads and stores of every element type, through a section that only moves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "emulator/reference/machine.h"
#include "emulator/reference/reference.h"
#include "kawara/dtype.h"

namespace kawara::test {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

// Every element of `from` (bytes in memory) stored as `to`; type: of the register between.
std::vector<uint8_t> move(const std::vector<uint8_t>& from, DType from_type, uint8_t type, DType to_type, uint32_t count,
                          uint8_t flags = 0) {
  Machine machine(emulator::reference_executor());
  const size_t bytes = bytes_of(to_type, count);
  const uint32_t source = machine.local(from), target = machine.local(std::vector<uint8_t>(bytes, 0xaa));
  const hw::Section section{
      .extent = {count},
      .n_par = 1,
      .n_in = 1,
      .streams = {stream(source, static_cast<uint8_t>(from_type), 0, 1), stream(target, static_cast<uint8_t>(to_type), 0, 1, 0, flags)},
      .coords = {coord(1, count, {{0, 1}})},
      .phases = {once(2)},
      .instrs = {load(type, 0, 0), store(type, 0, 1)}};
  machine.run(hw::blank<kawara_vector>(), &section);
  return machine.read<uint8_t>(target, bytes);
}

template <typename T>
std::vector<uint8_t> bytes(const std::vector<T>& values) {
  std::vector<uint8_t> result(values.size() * sizeof(T));
  std::memcpy(result.data(), values.data(), result.size());
  return result;
}
template <typename T>
std::vector<T> values(const std::vector<uint8_t>& bytes) {
  std::vector<T> result(bytes.size() / sizeof(T));
  std::memcpy(result.data(), bytes.data(), bytes.size());
  return result;
}

template <typename Stored>
std::vector<Stored> store_floats(const std::vector<float>& from, DType to, uint8_t flags = 0) {
  return values<Stored>(move(bytes(from), DType::f32, kF32, to, static_cast<uint32_t>(from.size()), flags));
}

// All codes of a type as floats, and back: the same codes, if NaNs are left out.
void expect_codes_survive(DType dtype, uint32_t codes, std::initializer_list<std::pair<uint32_t, uint32_t>> nan_ranges) {
  std::vector<uint8_t> all;
  std::vector<uint32_t> kept;
  for (uint32_t code = 0; code < codes; ++code) {
    bool nan = false;
    for (const auto& [low, high] : nan_ranges) nan |= code >= low && code <= high;
    if (!nan) kept.push_back(code);
  }
  const unsigned width = bits(dtype);
  const auto pack = [&](const std::vector<uint32_t>& from) {
    std::vector<uint8_t> packed(bytes_of(dtype, from.size()));
    for (size_t i = 0; i < from.size(); ++i) {
      if (width == 4)
        packed[i / 2] |= static_cast<uint8_t>(from[i] << 4 * (i % 2));
      else
        std::memcpy(&packed[i * width / 8], &from[i], width / 8);
    }
    return packed;
  };
  const std::vector<uint8_t> packed = pack(kept);
  EXPECT_EQ(move(packed, dtype, kF32, dtype, static_cast<uint32_t>(kept.size())), packed) << name(dtype);
}

TEST(Elements, FloatCodesSurviveALoadAndAStore) {
  expect_codes_survive(DType::f16, 0x10000, {{0x7c01, 0x7fff}, {0xfc01, 0xffff}});
  expect_codes_survive(DType::bf16, 0x10000, {{0x7f81, 0x7fff}, {0xff81, 0xffff}});
  expect_codes_survive(DType::f8e4m3, 0x100, {{0x7f, 0x7f}, {0xff, 0xff}});
  expect_codes_survive(DType::f8e5m2, 0x100, {{0x7d, 0x7f}, {0xfd, 0xff}});
  expect_codes_survive(DType::f4e2m1, 16, {});
  expect_codes_survive(DType::e8m0, 0x100, {});
}

TEST(Elements, FloatCodesAreWorthWhatTheirFormatsSay) {
  const auto as_floats = [](std::vector<uint8_t> codes, DType dtype, uint32_t count) {
    return values<float>(move(codes, dtype, kF32, DType::f32, count));
  };
  EXPECT_THAT(as_floats(bytes<uint16_t>({0x3c00, 0xc000, 0x0001, 0x03ff, 0x7bff, 0xfc00}), DType::f16, 6),
              ElementsAre(1, -2, 0x1p-24f, 0x1.ff8p-15f, 65504, -kInfinity));
  EXPECT_THAT(as_floats(bytes<uint16_t>({0x3f80, 0xc049}), DType::bf16, 2), ElementsAre(1, -3.140625f));
  EXPECT_THAT(as_floats({0x38, 0x01, 0x7e, 0xb8}, DType::f8e4m3, 4), ElementsAre(1, 0x1p-9f, 448, -1));
  EXPECT_THAT(as_floats({0x3c, 0x01, 0x7b, 0x7c}, DType::f8e5m2, 4), ElementsAre(1, 0x1p-16f, 57344, kInfinity));
  EXPECT_THAT(as_floats({0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe}, DType::f4e2m1, 16),
              ElementsAre(0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0f, -0.5, -1, -1.5, -2, -3, -4, -6));
  EXPECT_THAT(as_floats({0, 127, 254}, DType::e8m0, 3), ElementsAre(0x1p-127f, 1, 0x1p+127f));
  for (const auto& [code, dtype] : {std::pair{0x7f, DType::f8e4m3}, {0x7e, DType::f8e5m2}, {255, DType::e8m0}})
    EXPECT_TRUE(std::isnan(as_floats({static_cast<uint8_t>(code)}, dtype, 1)[0])) << name(dtype);
}

TEST(Elements, StoresToSmallFloatsRoundToNearestEven) {
  EXPECT_THAT(store_floats<uint16_t>({1 + 0x1p-11f, 1 + 0x3p-11f, 65519, 65520, 0x1p-25f, 0x1.8p-25f, -0.0f, 0x1.ffep-15f}, DType::f16),
              ElementsAre(0x3c00, 0x3c02, 0x7bff, 0x7c00, 0, 1, 0x8000, 0x0400));
  EXPECT_THAT(store_floats<uint16_t>({1 + 0x1p-8f, 1 + 0x3p-8f, std::numeric_limits<float>::max(), -1}, DType::bf16),
              ElementsAre(0x3f80, 0x3f82, 0x7f80, 0xbf80));
  EXPECT_THAT(store_floats<uint8_t>({1.0625f, 1.1875f, 464, 0x1p-10f, 0x1.8p-10f}, DType::f8e4m3), ElementsAre(0x38, 0x3a, 0x7e, 0, 1));
  EXPECT_THAT(store_floats<uint8_t>({3, 3.5f, 0}, DType::e8m0), ElementsAre(128, 129, 0));  // 3: half way from 2, whose code is even, to 4
}

TEST(Elements, OverflowOfAnEightBitFloatFollowsTheStreamsFlag) {
  const std::vector<float> large = {465, -1e9f, kInfinity, kNaN};
  EXPECT_THAT(store_floats<uint8_t>(large, DType::f8e4m3), ElementsAre(0x7f, 0xff, 0x7f, 0x7f));
  EXPECT_THAT(store_floats<uint8_t>(large, DType::f8e4m3, KAWARA_STREAM_SATURATE), ElementsAre(0x7e, 0xfe, 0x7e, 0x7f));
  EXPECT_THAT(store_floats<uint8_t>({1e9f, -kInfinity, kNaN}, DType::f8e5m2), ElementsAre(0x7c, 0xfc, 0x7e));
  EXPECT_THAT(store_floats<uint8_t>({1e9f, -kInfinity, kNaN}, DType::f8e5m2, KAWARA_STREAM_SATURATE), ElementsAre(0x7b, 0xfb, 0x7e));
  EXPECT_THAT(store_floats<uint8_t>({100, -kInfinity, kNaN, 0.25f}, DType::f4e2m1), ElementsAre(0xf7, 0x00));
}

TEST(Elements, NarrowIntegersWidenBySign) {
  const std::vector<uint8_t> codes = {0x80, 0xff, 0x7f, 0x01};
  EXPECT_THAT(values<int32_t>(move(codes, DType::i8, kI32, DType::i32, 4)), ElementsAre(-128, -1, 127, 1));
  EXPECT_THAT(values<uint32_t>(move(codes, DType::u8, kU32, DType::u32, 4)), ElementsAre(128, 255, 127, 1));
  EXPECT_THAT(values<int32_t>(move(codes, DType::i16, kI32, DType::i32, 2)), ElementsAre(-128, 0x017f));
  EXPECT_THAT(values<uint32_t>(move(codes, DType::u16, kU32, DType::u32, 2)), ElementsAre(0xff80u, 0x017fu));
  EXPECT_THAT(values<int32_t>(move(codes, DType::i4, kI32, DType::i32, 8)), ElementsAre(0, -8, -1, -1, -1, 7, 1, 0));
  EXPECT_THAT(values<uint32_t>(move(codes, DType::u4, kU32, DType::u32, 8)), ElementsAre(0, 8, 15, 15, 15, 7, 1, 0));
  EXPECT_THAT(values<uint32_t>(move({0, 1}, DType::boolean, kU32, DType::u32, 2)), ElementsAre(0, 1));
  const std::vector<int64_t> wide = {std::numeric_limits<int64_t>::min(), -1};
  EXPECT_EQ(values<int64_t>(move(bytes(wide), DType::i64, kI64, DType::i64, 2)), wide);
  EXPECT_EQ(values<int64_t>(move(bytes(wide), DType::u64, kI64, DType::u64, 2)), wide);
}

TEST(Elements, IntegersWrapOnAStoreUnlessTheStreamSaturates) {
  const std::vector<uint8_t> from = bytes<int32_t>({-129, 128, 300, -1, 70000, 7});
  const auto stored = [&](DType to, uint8_t flags) { return move(from, DType::i32, kI32, to, 6, flags); };
  EXPECT_THAT(values<int8_t>(stored(DType::i8, 0)), ElementsAre(127, -128, 44, -1, 112, 7));
  EXPECT_THAT(values<int8_t>(stored(DType::i8, KAWARA_STREAM_SATURATE)), ElementsAre(-128, 127, 127, -1, 127, 7));
  EXPECT_THAT(values<uint8_t>(stored(DType::u8, KAWARA_STREAM_SATURATE)), ElementsAre(0, 128, 255, 0, 255, 7));
  EXPECT_THAT(values<int16_t>(stored(DType::i16, KAWARA_STREAM_SATURATE)), ElementsAre(-129, 128, 300, -1, 32767, 7));
  EXPECT_THAT(values<uint16_t>(stored(DType::u16, 0)), ElementsAre(65407, 128, 300, 65535, 4464, 7));
  EXPECT_THAT(values<uint16_t>(stored(DType::u16, KAWARA_STREAM_SATURATE)), ElementsAre(0, 128, 300, 0, 65535, 7));
  EXPECT_THAT(stored(DType::i4, 0), ElementsAre(0x0f, 0xfc, 0x70));
  EXPECT_THAT(stored(DType::i4, KAWARA_STREAM_SATURATE), ElementsAre(0x78, 0xf7, 0x77));
  EXPECT_THAT(stored(DType::u4, KAWARA_STREAM_SATURATE), ElementsAre(0xf0, 0x0f, 0x7f));
  EXPECT_THAT(stored(DType::boolean, 0), ElementsAre(1, 1, 1, 1, 1, 1));
  EXPECT_THAT(values<uint32_t>(stored(DType::u32, KAWARA_STREAM_SATURATE)), ElementsAre(0, 128, 300, 0, 70000, 7));
  EXPECT_THAT(values<int64_t>(stored(DType::i64, 0)), ElementsAre(-129, 128, 300, -1, 70000, 7));
}

TEST(Elements, FloatsTruncateAndAlwaysSaturateOnAStoreToIntegers) {
  const std::vector<float> from = {-1.9f, 1.9f, 1e20f, -1e20f, kNaN, 0.5f};
  EXPECT_THAT(store_floats<int8_t>(from, DType::i8), ElementsAre(-1, 1, 127, -128, 0, 0));
  EXPECT_THAT(store_floats<uint8_t>(from, DType::u8), ElementsAre(0, 1, 255, 0, 0, 0));
  EXPECT_THAT(store_floats<int16_t>(from, DType::i16), ElementsAre(-1, 1, 32767, -32768, 0, 0));
  EXPECT_THAT(store_floats<uint16_t>(from, DType::u16), ElementsAre(0, 1, 65535, 0, 0, 0));
  EXPECT_THAT(store_floats<int32_t>(from, DType::i32), ElementsAre(-1, 1, INT32_MAX, INT32_MIN, 0, 0));
  EXPECT_THAT(store_floats<uint32_t>(from, DType::u32), ElementsAre(0, 1, UINT32_MAX, 0, 0, 0));
  EXPECT_THAT(store_floats<int64_t>(from, DType::i64), ElementsAre(-1, 1, INT64_MAX, INT64_MIN, 0, 0));
  EXPECT_THAT(store_floats<uint64_t>(from, DType::u64), ElementsAre(0, 1, UINT64_MAX, 0, 0, 0));
  EXPECT_THAT(store_floats<uint8_t>(from, DType::i4), ElementsAre(0x1f, 0x87, 0x00));
  EXPECT_THAT(store_floats<uint8_t>(from, DType::u4), ElementsAre(0x10, 0x0f, 0x00));
  EXPECT_THAT(store_floats<uint8_t>(from, DType::boolean), ElementsAre(1, 1, 1, 1, 1, 1));
}

}  // namespace
}  // namespace kawara::test
