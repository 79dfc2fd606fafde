// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/element_codec.h"

#include <spirv/unified1/GLSL.std.450.h>

namespace kawara::emulator::vulkan {

Id ElementCodec::memory_type(DType dtype) const {
  switch (bits(dtype)) {
    case 64: return b_.u64_type;
    case 32: return b_.u32_type;
    case 16: return b_.u16_type;
    default: return b_.u8_type;
  }
}

const ElementCodec::SmallFloat* ElementCodec::small_float(DType dtype) {
  static constexpr SmallFloat kF16{5, 10, 15, true, 0x7bff, 0x7c00, 0x7e00}, kF8e5m2{5, 2, 15, true, 0x7b, 0x7c, 0x7e},
      kF8e4m3{4, 3, 7, false, 0x7e, 0x7f, 0x7f}, kF4e2m1{2, 1, 1, false, 0x7, 0x7, 0};
  switch (dtype) {
    case DType::f16: return &kF16;
    case DType::f8e5m2: return &kF8e5m2;
    case DType::f8e4m3: return &kF8e4m3;
    case DType::f4e2m1: return &kF4e2m1;
    default: return nullptr;
  }
}

Id ElementCodec::scale(Id bits, int exponent) {
  return microcode_.as_bits(b_.exact(spv::OpFMul, microcode_.as_float(bits), b_.f32_bits(static_cast<uint32_t>(127 + exponent) << 23)));
}

Id ElementCodec::decode(Id bits, const SmallFloat& format) {
  const uint32_t width = format.exponent_bits + format.fraction_bits;
  const uint32_t up = 23 - format.fraction_bits;
  const Id magnitude = and_(bits, (1u << width) - 1);
  const Id sign = shift_left(and_(bits, 1u << width), 31 - width);
  const Id normal = add(shift_left(magnitude, up), b_.u32((127 - format.bias) << 23));
  // A subnormal's fraction is a small integer: exact as an f32, and its scale a power of two.
  const Id count = microcode_.as_bits(b_.op(spv::OpConvertUToF, b_.f32_type, {magnitude}));
  const Id subnormal = scale(count, 1 - static_cast<int>(format.bias) - static_cast<int>(format.fraction_bits));
  Id result = b_.select(test(spv::OpULessThan, magnitude, b_.u32(1u << format.fraction_bits)), subnormal, normal, b_.u32_type);
  if (format.has_infinity) {
    const uint32_t infinity = ((1u << format.exponent_bits) - 1) << format.fraction_bits;
    result = b_.select(test(spv::OpIEqual, magnitude, b_.u32(infinity)), b_.u32(0x7f800000), result, b_.u32_type);
    result = b_.select(test(spv::OpUGreaterThan, magnitude, b_.u32(infinity)), b_.u32(0x7fc00000), result, b_.u32_type);
  } else if (width == 7) {
    result = b_.select(test(spv::OpIEqual, magnitude, b_.u32(0x7f)), b_.u32(0x7fc00000), result, b_.u32_type);
  }
  return or_(result, sign);
}

Id ElementCodec::encode(Id value, const SmallFloat& format, bool saturate) {
  const uint32_t width = format.exponent_bits + format.fraction_bits;
  const uint32_t down = 23 - format.fraction_bits;
  const Id sign = shift_right(and_(value, 0x80000000u), 31 - width);
  const Id magnitude = and_(value, 0x7fffffffu);
  // Normal results: the exponent moves, and the fraction's last bits round to nearest, ties to even, into the exponent.
  const Id moved = b_.op(spv::OpISub, b_.u32_type, {magnitude, b_.u32((127 - format.bias) << 23)});
  const Id odd = and_(shift_right(moved, down), 1);
  const Id normal = shift_right(add(add(moved, b_.u32((1u << (down - 1)) - 1)), odd), down);
  // Subnormal results count multiples of the least one.
  const Id multiple = scale(magnitude, static_cast<int>(format.bias) + static_cast<int>(format.fraction_bits) - 1);
  const Id rounded = b_.extended(GLSLstd450RoundEven, b_.f32_type, {microcode_.as_float(multiple)});
  const uint32_t least_normal = (128 - format.bias) << 23;
  const Id is_small = test(spv::OpULessThan, magnitude, b_.u32(least_normal));
  const Id safe = b_.select(is_small, rounded, b_.f32_bits(0), b_.f32_type);
  const Id subnormal = b_.op(spv::OpConvertFToU, b_.u32_type, {safe});
  Id result = b_.select(is_small, subnormal, normal, b_.u32_type);

  // A carry out of the exponent shows as a code beyond the greatest; an infinity would wrap around, so it is caught first.
  const Id beyond = test(spv::OpUGreaterThan, result, b_.u32(format.greatest));
  const Id too_large = b_.op(spv::OpLogicalOr, b_.bool_type, {beyond, test(spv::OpUGreaterThanEqual, magnitude, b_.u32(0x7f800000))});
  result = b_.select(too_large, b_.u32(saturate ? format.greatest : format.overflow), result, b_.u32_type);
  return b_.select(microcode_.is_nan(value), b_.u32(format.nan), or_(result, sign), b_.u32_type);
}

Id ElementCodec::widen(Id raw, DType dtype) {
  if (const SmallFloat* format = small_float(dtype)) return decode(raw, *format);
  const auto sign_extend = [&](uint32_t width) {
    return b_.op(spv::OpShiftRightArithmetic, b_.u32_type, {shift_left(raw, 32 - width), b_.u32(32 - width)});
  };
  switch (dtype) {
    case DType::bf16: return shift_left(raw, 16);
    case DType::e8m0: {
      const Id nan = b_.select(test(spv::OpIEqual, raw, b_.u32(255)), b_.u32(0x7fc00000), shift_left(raw, 23), b_.u32_type);
      return b_.select(test(spv::OpIEqual, raw, b_.u32(0)), b_.u32(0x00400000), nan, b_.u32_type);  // 2^-127
    }
    case DType::i16: return sign_extend(16);
    case DType::i8: return sign_extend(8);
    case DType::i4: return sign_extend(4);
    default: return raw;
  }
}

Id ElementCodec::narrow(Id value, uint8_t type, DType dtype, bool saturate) {
  if (kind(dtype) == DTypeKind::FLOAT)
    return narrow_float(type == KAWARA_DTYPE_f32 ? value : microcode_.convert(KAWARA_DTYPE_f32, type, value), dtype, saturate);
  return narrow_integer(value, type, dtype, saturate);
}

Id ElementCodec::narrow_float(Id value, DType dtype, bool saturate) {
  if (const SmallFloat* format = small_float(dtype)) return encode(value, *format, saturate && dtype != DType::f16);
  if (dtype == DType::bf16) {
    const Id odd = and_(shift_right(value, 16), 1);
    const Id rounded = shift_right(add(add(value, b_.u32(0x7fff)), odd), 16);
    return b_.select(microcode_.is_nan(value), b_.u32(0x7fc0), rounded, b_.u32_type);
  }
  if (dtype == DType::e8m0) {
    // The nearest power of two, ties to the even code; no negative number is one.
    const Id magnitude = and_(value, 0x7fffffffu);
    const Id odd = and_(shift_right(magnitude, 23), 1);
    const Id rounded = shift_right(add(add(magnitude, b_.u32(0x3fffff)), odd), 23);
    const Id limited = b_.select(test(spv::OpUGreaterThan, rounded, b_.u32(254)), b_.u32(254), rounded, b_.u32_type);
    const Id bad = b_.op(spv::OpLogicalOr, b_.bool_type, {microcode_.is_nan(value), test(spv::OpUGreaterThan, value, b_.u32(0x80000000u))});
    return b_.select(bad, b_.u32(255), limited, b_.u32_type);
  }
  return value;
}

Id ElementCodec::narrow_integer(Id value, uint8_t type, DType dtype, bool saturate) {
  if (dtype == DType::boolean) {
    if (type == KAWARA_DTYPE_f32) {
      const Id zero = test(spv::OpFOrdEqual, microcode_.as_float(value), b_.f32_bits(0));
      return b_.select(zero, b_.u32(0), b_.u32(1), b_.u32_type);
    }
    const Id zero = b_.integer(type == KAWARA_DTYPE_i64 ? b_.u64_type : b_.u32_type, 0);
    return b_.select(test(spv::OpINotEqual, value, zero), b_.u32(1), b_.u32(0), b_.u32_type);
  }
  const uint32_t width = bits(dtype);
  const bool has_sign = kind(dtype) == DTypeKind::SIGNED;
  if (dtype == DType::u64) return narrow_u64(value, type, saturate);
  if (width == 64) return microcode_.convert(KAWARA_DTYPE_i64, type, value);
  const uint8_t target = has_sign ? KAWARA_DTYPE_i32 : KAWARA_DTYPE_u32;
  const int64_t low = has_sign ? -(int64_t{1} << (width - 1)) : 0;
  const int64_t high = has_sign ? (int64_t{1} << (width - 1)) - 1 : (int64_t{1} << width) - 1;
  const auto clamp = [&](uint8_t in, Id x) {
    const Id t = in == KAWARA_DTYPE_i64 ? b_.u64_type : b_.u32_type;
    const auto limit = [&](int64_t value) { return b_.integer(t, static_cast<uint64_t>(value)); };
    x = microcode_.emit(KAWARA_OP_max, in, 0, x, limit(low), Id::none);
    return microcode_.emit(KAWARA_OP_min, in, 0, x, limit(high), Id::none);
  };
  // Floats saturate always, integers when asked.
  if (type == KAWARA_DTYPE_f32) {
    value = microcode_.convert(target, type, value);
    return width == 32 ? value : clamp(target, value);
  }
  if (!saturate) return microcode_.convert(target, type, value);
  return b_.op(spv::OpUConvert, b_.u32_type, {clamp(KAWARA_DTYPE_i64, microcode_.convert(KAWARA_DTYPE_i64, type, value))});
}

Id ElementCodec::narrow_u64(Id value, uint8_t type, bool saturate) {
  if (type != KAWARA_DTYPE_f32) {
    value = microcode_.convert(KAWARA_DTYPE_i64, type, value);
    if (!saturate || type != KAWARA_DTYPE_i32) return value;
    return microcode_.emit(KAWARA_OP_max, KAWARA_DTYPE_i64, 0, value, b_.u64(0), Id::none);
  }
  // The upper half of the range is converted less 2^63, which is exact there.
  const Id x = microcode_.as_float(value), half = b_.f32_bits(0x5f000000);
  const Id lower =
      microcode_.emit(KAWARA_OP_max, KAWARA_DTYPE_i64, 0, microcode_.convert(KAWARA_DTYPE_i64, type, value), b_.u64(0), Id::none);
  const Id rest = microcode_.convert(KAWARA_DTYPE_i64, type, microcode_.as_bits(b_.exact(spv::OpFSub, x, half)));
  const Id upper = b_.op(spv::OpBitwiseXor, b_.u64_type, {rest, b_.u64(1ull << 63)});
  const Id result = b_.select(test(spv::OpFOrdGreaterThanEqual, x, half), upper, lower, b_.u64_type);
  return b_.select(test(spv::OpFOrdGreaterThanEqual, x, b_.f32_bits(0x5f800000)), b_.u64(~0ull), result, b_.u64_type);
}

}  // namespace kawara::emulator::vulkan
