// SPDX-License-Identifier: Apache-2.0
// Which values do not fit the type that a store narrows them to: what the health counter `saturated` counts.
#include <bit>
#include <cmath>

#include "emulator/vulkan/element_codec.h"

namespace kawara::emulator::vulkan {

// Of the least magnitude that leaves the format, as f32 bits: half a step above its greatest number, ties to even.
uint32_t ElementCodec::overflow_of(DType dtype) {
  switch (dtype) {
    case DType::f16: return 0x477ff000;     // 65520
    case DType::bf16: return 0x7f7f8000;    // half a step of bf16 below 2^128
    case DType::f8e5m2: return 0x47700000;  // 61440
    case DType::f8e4m3: return 0x43e80001;  // beyond 464, which rounds to 448
    case DType::f4e2m1: return 0x40e00000;  // 7
    case DType::e8m0: return 0x7f400001;    // beyond 1.5 * 2^127, which rounds to 2^127
    default: return 0x7f800001;             // nothing
  }
}

Id ElementCodec::does_not_fit(Id value, uint8_t type, DType dtype, bool saturate) {
  if (dtype == DType::boolean || dtype == DType::f32) return Id::none;
  if (kind(dtype) == DTypeKind::FLOAT)
    return float_overflows(type == KAWARA_DTYPE_f32 ? value : microcode_.convert(KAWARA_DTYPE_f32, type, value), dtype, saturate);
  if (type == KAWARA_DTYPE_f32) return leaves_integer(value, dtype);
  if (!saturate || (bits(dtype) == 64 && kind(dtype) == DTypeKind::SIGNED)) return Id::none;
  const auto compare = [&](spv::Op opcode, Id a, int64_t b) { return test(opcode, a, b_.integer(b_.u64_type, static_cast<uint64_t>(b))); };
  if (dtype == DType::u64) {
    if (type != KAWARA_DTYPE_i32) return Id::none;
    return compare(spv::OpSLessThan, microcode_.convert(KAWARA_DTYPE_i64, type, value), 0);
  }
  const bool has_sign = kind(dtype) == DTypeKind::SIGNED;
  const unsigned width = bits(dtype);
  const int64_t low = has_sign ? -(int64_t{1} << (width - 1)) : 0, high = (int64_t{1} << (has_sign ? width - 1 : width)) - 1;
  const Id wide = microcode_.convert(KAWARA_DTYPE_i64, type, value);
  return b_.op(spv::OpLogicalOr, b_.bool_type, {compare(spv::OpSLessThan, wide, low), compare(spv::OpSGreaterThan, wide, high)});
}

// An infinity fits where the format has one; where it becomes the greatest number instead, it does not.
Id ElementCodec::float_overflows(Id value, DType dtype, bool saturate) {
  const bool infinity_too = dtype == DType::f4e2m1 || dtype == DType::e8m0 || (saturate && dtype != DType::f16 && dtype != DType::bf16);
  const uint32_t low = overflow_of(dtype), high = infinity_too ? 0x7f800000 : 0x7f7fffff;
  const Id magnitude = and_(value, 0x7fffffffu);
  Id result = test(spv::OpULessThanEqual, b_.op(spv::OpISub, b_.u32_type, {magnitude, b_.u32(low)}), b_.u32(high - low));
  if (dtype != DType::e8m0) return result;
  // No power of two is 0; a negative number has become NaN instead.
  result = b_.op(spv::OpLogicalAnd, b_.bool_type, {result, test(spv::OpULessThan, value, b_.u32(0x80000000u))});
  return b_.op(spv::OpLogicalOr, b_.bool_type, {result, test(spv::OpIEqual, magnitude, b_.u32(0))});
}

// What is left after truncation must be in range: above low - 1 and below high + 1. NaN is neither.
Id ElementCodec::leaves_integer(Id value, DType dtype) {
  const bool has_sign = kind(dtype) == DTypeKind::SIGNED;
  const int width = static_cast<int>(bits(dtype));
  const auto f32 = [&](double number) { return b_.f32_bits(std::bit_cast<uint32_t>(static_cast<float>(number))); };
  const double end = std::ldexp(1.0, has_sign ? width - 1 : width);
  const Id x = microcode_.as_float(value);
  // From 32 bits on, low - 1 is no f32, and no f32 lies between it and low.
  const Id above = has_sign
                       ? (width >= 32 ? test(spv::OpFOrdGreaterThanEqual, x, f32(-end)) : test(spv::OpFOrdGreaterThan, x, f32(-end - 1)))
                       : test(spv::OpFOrdGreaterThan, x, f32(-1));
  const Id below = test(spv::OpFOrdLessThan, x, f32(end));
  return b_.op(spv::OpLogicalNot, b_.bool_type, {b_.op(spv::OpLogicalAnd, b_.bool_type, {above, below})});
}

}  // namespace kawara::emulator::vulkan
