// SPDX-License-Identifier: Apache-2.0
#include "difference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace kawara {
namespace {

// A float of a sign, an exponent with the usual bias, and a significand. Without infinities only the greatest code is a NaN.
struct Format {
  unsigned exponent = 0, significand = 0;
  bool infinities = true;

  uint64_t magnitude(uint64_t code) const { return code & ((uint64_t{1} << (exponent + significand)) - 1); }
  // Neighbouring values have neighbouring places.
  int64_t place(uint64_t code) const {
    const auto place = static_cast<int64_t>(magnitude(code));
    return code >> (exponent + significand) & 1 ? -place : place;
  }
  double value(uint64_t code) const {
    const uint64_t size = magnitude(code), field = size >> significand, fraction = size & ((uint64_t{1} << significand) - 1);
    const uint64_t last = (uint64_t{1} << exponent) - 1;
    const double sign = place(code) < 0 ? -1 : 1;
    if (infinities && field == last)
      return fraction ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
    if (!infinities && size == (uint64_t{1} << (exponent + significand)) - 1) return std::numeric_limits<double>::quiet_NaN();
    const auto whole = static_cast<double>(field ? fraction | uint64_t{1} << significand : fraction);
    const int lowest = 2 - (1 << (exponent - 1)) - static_cast<int>(significand);
    return sign * std::ldexp(whole, lowest + (field ? static_cast<int>(field) - 1 : 0));
  }
};

template <typename Code>
Code code_at(std::span<const std::byte> bytes, size_t index) {
  Code code;
  std::memcpy(&code, bytes.data() + index * sizeof code, sizeof code);
  return code;
}

template <typename Code>
Difference of_floats(const Format& format, std::span<const std::byte> a, std::span<const std::byte> b) {
  Difference result;
  for (size_t i = 0; i < a.size() / sizeof(Code); ++i) {
    const Code x = code_at<Code>(a, i), y = code_at<Code>(b, i);
    const double left = format.value(x);
    if (std::isfinite(left)) result.magnitude = std::max(result.magnitude, std::fabs(left));
    if (x == y) continue;
    const double right = format.value(y);
    if (std::isnan(left) && std::isnan(right)) continue;
    ++result.different;
    const double distance = std::fabs(left - right);
    result.max_abs = std::max(result.max_abs, std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance);
    const int64_t steps = format.place(x) - format.place(y);
    result.max_ulp = std::max(result.max_ulp, static_cast<uint64_t>(std::abs(steps)));
  }
  return result;
}

template <typename Integer>
Difference of_integers(std::span<const std::byte> a, std::span<const std::byte> b) {
  Difference result;
  for (size_t i = 0; i < a.size() / sizeof(Integer); ++i) {
    const __int128 x = code_at<Integer>(a, i), y = code_at<Integer>(b, i);
    result.magnitude = std::max(result.magnitude, static_cast<double>(x < 0 ? -x : x));
    result.different += x != y;
    result.max_abs = std::max(result.max_abs, static_cast<double>(x < y ? y - x : x - y));
  }
  return result;
}

}  // namespace

Difference difference(DType dtype, std::span<const std::byte> a, std::span<const std::byte> b) {
  switch (dtype) {
    case DType::f32: return of_floats<uint32_t>({.exponent = 8, .significand = 23}, a, b);
    case DType::f16: return of_floats<uint16_t>({.exponent = 5, .significand = 10}, a, b);
    case DType::bf16: return of_floats<uint16_t>({.exponent = 8, .significand = 7}, a, b);
    case DType::f8e4m3: return of_floats<uint8_t>({.exponent = 4, .significand = 3, .infinities = false}, a, b);
    case DType::f8e5m2: return of_floats<uint8_t>({.exponent = 5, .significand = 2}, a, b);
    case DType::i64: return of_integers<int64_t>(a, b);
    case DType::i32: return of_integers<int32_t>(a, b);
    case DType::i16: return of_integers<int16_t>(a, b);
    case DType::i8: return of_integers<int8_t>(a, b);
    case DType::u64: return of_integers<uint64_t>(a, b);
    case DType::u32: return of_integers<uint32_t>(a, b);
    case DType::u16: return of_integers<uint16_t>(a, b);
    case DType::u8:
    case DType::boolean:
    case DType::none:
    case DType::f4e2m1:
    case DType::e8m0:
    case DType::i4:
    case DType::u4: break;
  }
  return of_integers<uint8_t>(a, b);
}

}  // namespace kawara
