// SPDX-License-Identifier: Apache-2.0
// How elements of every dtype lie in memory, what a load makes of them and how a store narrows a register again.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "emulator/reference/convert.h"
#include "kawara/hw/commands.h"

namespace kawara::emulator::reference {

// The bits of element `index`; negative indices count back from the base.
template <unsigned bits>
uint64_t read_bits(const std::byte* base, int64_t index) {
  if constexpr (bits == 4) {
    return static_cast<uint64_t>(base[index >> 1]) >> (4 * (index & 1)) & 15;
  } else {
    using Word = std::conditional_t<bits == 8, uint8_t,
                                    std::conditional_t<bits == 16, uint16_t, std::conditional_t<bits == 32, uint32_t, uint64_t>>>;
    Word word;
    std::memcpy(&word, base + index * int64_t{sizeof(Word)}, sizeof(Word));
    return word;
  }
}

template <unsigned bits>
void write_bits(std::byte* base, int64_t index, uint64_t value) {
  if constexpr (bits == 4) {
    const unsigned shift = 4 * (index & 1);
    base[index >> 1] = (base[index >> 1] & static_cast<std::byte>(0xf0 >> shift)) | static_cast<std::byte>((value & 15) << shift);
  } else {
    std::memcpy(base + index * int64_t{bits / 8}, &value, bits / 8);
  }
}

// A float format of fewer bits: 1 sign, `exponent` bits with the usual bias, `mantissa` bits.
template <unsigned exponent, unsigned mantissa>
struct SmallFloat {
  static constexpr int kLowestExponent = 2 - (1 << (exponent - 1));

  // Value of a code without its sign, as if there were neither infinities nor NaNs.
  static float magnitude(uint32_t code) {
    const uint32_t field = code >> mantissa, fraction = code & ((1u << mantissa) - 1);
    const int scale = kLowestExponent - static_cast<int>(mantissa) + (field == 0 ? 0 : static_cast<int>(field) - 1);
    return std::ldexp(static_cast<float>(field == 0 ? fraction : fraction | 1u << mantissa), scale);
  }

  // The nearest code without a sign, ties to even; beyond the format's greatest code when it overflows.
  static uint32_t nearest(float value) {
    const double size = std::fabs(static_cast<double>(value));
    if (size == 0) return 0;
    if (std::isinf(size)) return std::numeric_limits<uint32_t>::max();
    const int power = std::max(std::ilogb(size), kLowestExponent);
    const auto steps = static_cast<uint32_t>(std::nearbyint(std::ldexp(size, static_cast<int>(mantissa) - power)));
    // Without the hidden bit a subnormal; with it, its carry moves the exponent field on by itself.
    return (static_cast<uint32_t>(power - kLowestExponent) << mantissa) + steps;
  }
};

// Codecs: kBits; Widened, what a load gives; value(bits); narrow(value, saturate, limited), the bits that a store writes,
// where `limited` is set when the value did not fit.

template <typename T, unsigned bits>
struct IntegerCodec {
  static constexpr unsigned kBits = bits;
  using Widened = std::conditional_t<sizeof(T) == 8, int64_t, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>>;
  static constexpr T kLow = bits == 4 ? (std::is_signed_v<T> ? -8 : 0) : std::numeric_limits<T>::min();
  static constexpr T kHigh = bits == 4 ? (std::is_signed_v<T> ? 7 : 15) : std::numeric_limits<T>::max();

  static Widened value(uint64_t code) {
    if constexpr (bits == 4 && std::is_signed_v<T>) return static_cast<Widened>(static_cast<int32_t>(code << 28) >> 28);
    return static_cast<Widened>(static_cast<T>(code));
  }

  template <typename From>
  static uint64_t narrow(From from, bool saturate, bool& limited) {
    if constexpr (std::is_floating_point_v<From>) {
      T whole = truncate_saturated<T>(from);
      if constexpr (bits == 4) whole = whole < kLow ? kLow : whole > kHigh ? kHigh : whole;
      // Truncation alone is no loss of range: 255.9 fits u8. NaN does not fit.
      const float trunc = std::trunc(from);
      limited = !(trunc >= static_cast<float>(kLow) && trunc <= static_cast<float>(kHigh)) ||
                (sizeof(T) >= 4 && trunc >= static_cast<float>(kHigh));
      return static_cast<uint64_t>(whole);
    } else {
      // A 64-bit register has no sign of its own: u64 streams take it as it is.
      if constexpr (std::is_same_v<T, uint64_t>) {
        if (std::is_signed_v<From> && sizeof(From) < 8 && saturate && from < 0) return limited = true, 0;
        return static_cast<uint64_t>(from);
      } else {
        const __int128 wide = from;
        limited = wide < kLow || wide > kHigh;
        if (!saturate || !limited) return limited = false, static_cast<uint64_t>(from);
        return static_cast<uint64_t>(wide < kLow ? kLow : kHigh);
      }
    }
  }
};

struct BooleanCodec {
  static constexpr unsigned kBits = 8;
  using Widened = uint32_t;
  static uint32_t value(uint64_t code) { return static_cast<uint32_t>(code); }
  template <typename From>
  static uint64_t narrow(From from, bool, bool&) {
    return from != 0;
  }
};

struct F32Codec {
  static constexpr unsigned kBits = 32;
  using Widened = float;
  static float value(uint64_t code) { return std::bit_cast<float>(static_cast<uint32_t>(code)); }
  template <typename From>
  static uint64_t narrow(From from, bool, bool&) {
    return std::bit_cast<uint32_t>(static_cast<float>(from));
  }
};

struct Bf16Codec {
  static constexpr unsigned kBits = 16;
  using Widened = float;
  static float value(uint64_t code) { return std::bit_cast<float>(static_cast<uint32_t>(code << 16)); }
  template <typename From>
  static uint64_t narrow(From from, bool, bool& limited) {
    const auto real = static_cast<float>(from);
    if (std::isnan(real)) return 0x7fc0;
    const auto code = std::bit_cast<uint32_t>(real);
    const uint32_t rounded = (code + 0x7fff + (code >> 16 & 1)) >> 16;
    limited = !std::isinf(real) && (rounded & 0x7fff) == 0x7f80;
    return rounded;
  }
};

// greatest: the largest finite code. infinity: what overflow gives without `saturate`, and what an infinity is.
template <typename Format, unsigned bits, uint32_t greatest, uint32_t infinity, uint32_t nan, bool always_saturates>
struct SmallFloatCodec {
  static constexpr unsigned kBits = bits;
  static constexpr uint32_t kSign = 1u << (bits - 1);
  using Widened = float;
  static float value(uint64_t code) {
    const auto magnitude = static_cast<uint32_t>(code) & (kSign - 1);
    float size = Format::magnitude(magnitude);
    if (magnitude > greatest)
      size = magnitude == infinity && infinity != nan ? std::numeric_limits<float>::infinity() : std::bit_cast<float>(0x7fc00000u);
    return (code & kSign) != 0 ? -size : size;
  }
  template <typename From>
  static uint64_t narrow(From from, bool saturate, bool& limited) {
    const auto real = static_cast<float>(from);
    if (std::isnan(real)) return nan;
    const uint32_t sign = std::signbit(real) ? kSign : 0, code = Format::nearest(real);
    if (code <= greatest) return sign | code;
    limited = always_saturates || saturate || !std::isinf(real);
    return sign | (always_saturates || saturate ? greatest : infinity);
  }
};
// f16 is as wide as the arithmetic that feeds it: it never saturates, so the flag is not asked.
struct F16Codec : SmallFloatCodec<SmallFloat<5, 10>, 16, 0x7bff, 0x7c00, 0x7e00, false> {
  template <typename From>
  static uint64_t narrow(From from, bool, bool& limited) {
    return SmallFloatCodec::narrow(from, false, limited);
  }
};
using F8e4m3Codec = SmallFloatCodec<SmallFloat<4, 3>, 8, 0x7e, 0x7f, 0x7f, false>;
using F8e5m2Codec = SmallFloatCodec<SmallFloat<5, 2>, 8, 0x7b, 0x7c, 0x7e, false>;
using F4e2m1Codec = SmallFloatCodec<SmallFloat<2, 1>, 4, 0x7, 0x7, 0x0, true>;

// A power of two, 2^(code - 127); 255 is NaN. A store takes the nearer one, ties to the even code.
struct E8m0Codec {
  static constexpr unsigned kBits = 8;
  using Widened = float;
  static float value(uint64_t code) {
    return code == 255 ? std::bit_cast<float>(0x7fc00000u) : std::ldexp(1.0f, static_cast<int>(code) - 127);
  }
  template <typename From>
  static uint64_t narrow(From from, bool, bool& limited) {
    const auto real = static_cast<float>(from);
    if (std::isnan(real) || real < 0) return 255;
    if (real <= 0x1p-127f) return limited = real == 0, 0;
    if (std::isinf(real)) return limited = true, 254;
    int power = std::ilogb(real) + 127;
    const float fraction = std::ldexp(real, 127 - power);
    if (fraction > 1.5f || (fraction == 1.5f && power % 2 == 1)) ++power;
    limited = power > 254;
    return static_cast<uint64_t>(std::min(power, 254));
  }
};

// visit(codec) with the codec of a dtype.
template <typename Visit>
decltype(auto) visit_dtype(uint8_t dtype, Visit&& visit) {
  switch (dtype) {
    case KAWARA_DTYPE_f16: return visit(F16Codec{});
    case KAWARA_DTYPE_bf16: return visit(Bf16Codec{});
    case KAWARA_DTYPE_f8e4m3: return visit(F8e4m3Codec{});
    case KAWARA_DTYPE_f8e5m2: return visit(F8e5m2Codec{});
    case KAWARA_DTYPE_f4e2m1: return visit(F4e2m1Codec{});
    case KAWARA_DTYPE_e8m0: return visit(E8m0Codec{});
    case KAWARA_DTYPE_i64: return visit(IntegerCodec<int64_t, 64>{});
    case KAWARA_DTYPE_i32: return visit(IntegerCodec<int32_t, 32>{});
    case KAWARA_DTYPE_i16: return visit(IntegerCodec<int16_t, 16>{});
    case KAWARA_DTYPE_i8: return visit(IntegerCodec<int8_t, 8>{});
    case KAWARA_DTYPE_i4: return visit(IntegerCodec<int8_t, 4>{});
    case KAWARA_DTYPE_u64: return visit(IntegerCodec<uint64_t, 64>{});
    case KAWARA_DTYPE_u32: return visit(IntegerCodec<uint32_t, 32>{});
    case KAWARA_DTYPE_u16: return visit(IntegerCodec<uint16_t, 16>{});
    case KAWARA_DTYPE_u8: return visit(IntegerCodec<uint8_t, 8>{});
    case KAWARA_DTYPE_u4: return visit(IntegerCodec<uint8_t, 4>{});
    case KAWARA_DTYPE_boolean: return visit(BooleanCodec{});
    default: return visit(F32Codec{});
  }
}

// The value as a register holds it.
template <typename Value>
uint64_t register_bits(Value value) {
  if constexpr (sizeof(Value) == 8)
    return static_cast<uint64_t>(value);
  else
    return std::bit_cast<uint32_t>(value);
}

}  // namespace kawara::emulator::reference
