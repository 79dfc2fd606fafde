// SPDX-License-Identifier: Apache-2.0
#include "difference.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace kawara::test {
namespace {

template <typename T>
Difference between(DType dtype, const std::vector<T>& a, const std::vector<T>& b) {
  return difference(dtype, std::as_bytes(std::span(a)), std::as_bytes(std::span(b)));
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

TEST(Difference, OfFloatsCountsBitsDistancesAndSteps) {
  const auto found = between<float>(DType::f32, {1, -2, 0, 8}, {std::nextafter(1.0f, 2.0f), -2, -0.0f, 7.5});
  EXPECT_EQ(found.different, 3u);
  EXPECT_EQ(found.max_abs, 0.5);
  EXPECT_EQ(found.max_ulp, 1u << 20);  // 8 to 7.5 where 2^21 steps make 1
  EXPECT_EQ(found.magnitude, 8);
  EXPECT_EQ(between<float>(DType::f32, {-1}, {std::nextafter(-1.0f, 0.0f)}).max_ulp, 1u);
  EXPECT_EQ(between<float>(DType::f32, {0}, {-0.0f}).max_ulp, 0u);
  EXPECT_EQ(between<float>(DType::f32, {1e-45f}, {-1e-45f}).max_ulp, 2u) << "across zero";
}

TEST(Difference, OfTwoNansIsNoneAndOfOneIsInfinite) {
  EXPECT_EQ(between<float>(DType::f32, {kNan}, {-kNan}).different, 0u);
  EXPECT_EQ(between<float>(DType::f32, {kNan}, {1}).max_abs, kInfinity);
  EXPECT_EQ(between<float>(DType::f32, {1}, {kNan}).max_abs, kInfinity);
  EXPECT_EQ(between<float>(DType::f32, {kInfinity}, {3e38f}).max_abs, kInfinity);
  EXPECT_EQ(between<float>(DType::f32, {kInfinity}, {-kInfinity}).max_abs, kInfinity);
  EXPECT_EQ(between<float>(DType::f32, {kInfinity, 2}, {kInfinity, 2}).different, 0u);
  EXPECT_EQ(between<float>(DType::f32, {kInfinity, 2}, {kInfinity, 2}).magnitude, 2);
}

TEST(Difference, KnowsTheSmallerFloats) {
  EXPECT_EQ(between<uint16_t>(DType::f16, {0x3c00}, {0x3c01}).max_abs, std::ldexp(1, -10));
  EXPECT_EQ(between<uint16_t>(DType::f16, {0x7bff}, {0}).max_abs, 65504);
  EXPECT_EQ(between<uint16_t>(DType::f16, {1}, {0}).max_abs, std::ldexp(1, -24));
  EXPECT_EQ(between<uint16_t>(DType::bf16, {0x3f80}, {0xbf80}).max_abs, 2);
  EXPECT_EQ(between<uint8_t>(DType::f8e4m3, {0x7e}, {0}).max_abs, 448);
  EXPECT_EQ(between<uint8_t>(DType::f8e4m3, {0x7f}, {0xff}).different, 0u);
  EXPECT_EQ(between<uint8_t>(DType::f8e5m2, {0x7b}, {0}).max_abs, 57344);
}

TEST(Difference, OfIntegersIsExactAtTheirEnds) {
  EXPECT_EQ(between<int64_t>(DType::i64, {std::numeric_limits<int64_t>::min()}, {std::numeric_limits<int64_t>::max()}).max_abs,
            std::ldexp(1, 64));
  EXPECT_EQ(between<uint64_t>(DType::u64, {~uint64_t{0}}, {0}).max_abs, std::ldexp(1, 64));
  EXPECT_EQ(between<int8_t>(DType::i8, {-128}, {127}).max_abs, 255);
  EXPECT_EQ(between<uint8_t>(DType::boolean, {0, 1, 1}, {1, 1, 0}).different, 2u);
  EXPECT_EQ(between<int32_t>(DType::i32, {}, {}).different, 0u);
}

}  // namespace
}  // namespace kawara::test
