// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/microcode_emitter.h"

#include <spirv/unified1/GLSL.std.450.h>

#include "kawara/error.h"
#include "kawara/hw/sequences.h"

namespace kawara::emulator::vulkan {

namespace {
constexpr uint32_t kSign = 0x80000000u, kMagnitude = 0x7fffffffu, kInfinity = 0x7f800000u, kNaN = 0x7fc00000u;
}

Id MicrocodeEmitter::is_nan(Id bits) {
  return test(spv::OpUGreaterThan, b_.op(spv::OpBitwiseAnd, b_.u32_type, {bits, b_.u32(kMagnitude)}), b_.u32(kInfinity));
}

Id MicrocodeEmitter::emit(uint8_t op, uint8_t type, uint16_t imm, Id a, Id b, Id c) {
  switch (op) {
    case KAWARA_OP_mov: return a;
    case KAWARA_OP_cvt: return convert(type, static_cast<uint8_t>(imm), a);
    case KAWARA_OP_select:
      return b_.select(test(spv::OpINotEqual, a, b_.u32(0)), b, c, type == KAWARA_DTYPE_i64 ? b_.u64_type : b_.u32_type);
    default: break;
  }
  if (!steps_of(op).empty()) return emit_sequence(op, a);
  return type == KAWARA_DTYPE_f32 ? emit_float(op, a, b, c) : emit_integer(op, type, a, b, c);
}

Id MicrocodeEmitter::emit_sequence(uint8_t op, Id argument) {
  Id temporaries[kSequenceTemporaries] = {};
  Id result = argument;
  for (const SequenceStep& step : steps_of(op)) {
    const auto source = [&](const StepSource& from) {
      switch (from.kind) {
        case StepSource::Kind::none: return Id::none;
        case StepSource::Kind::argument: return argument;
        case StepSource::Kind::temporary: return temporaries[from.value];
        case StepSource::Kind::constant: return b_.u32(from.value);
      }
      return Id::none;
    };
    const uint16_t other = step.type == KAWARA_DTYPE_f32 ? KAWARA_DTYPE_i32 : KAWARA_DTYPE_f32;
    result = emit(step.op, step.type, other, source(step.a), source(step.b), source(step.c));
    temporaries[step.dst] = result;
  }
  return result;
}

// min and max of bits that are no NaN; of two zeros -0 is the lesser.
Id MicrocodeEmitter::lesser(Id a, Id b, bool greater) {
  const Id x = as_float(a), y = as_float(b);
  const Id same = b_.op(greater ? spv::OpBitwiseAnd : spv::OpBitwiseOr, b_.u32_type, {a, b});
  const Id less = b_.select(test(spv::OpFOrdLessThan, x, y), greater ? b : a, greater ? a : b, b_.u32_type);
  return b_.select(test(spv::OpFOrdEqual, x, y), same, less, b_.u32_type);
}

Id MicrocodeEmitter::emit_float(uint8_t op, Id a, Id b, Id c) {
  const auto exact = [&](spv::Op opcode) { return as_bits(b_.exact(opcode, as_float(a), as_float(b))); };
  const auto unary = [&](uint32_t instruction) { return as_bits(b_.extended(instruction, b_.f32_type, {as_float(a)})); };
  const auto compare = [&](spv::Op opcode) { return flag(test(opcode, as_float(a), as_float(b))); };
  const auto bits = [&](spv::Op opcode, uint32_t mask) { return b_.op(opcode, b_.u32_type, {a, b_.u32(mask)}); };
  const bool greater = op == KAWARA_OP_max || op == KAWARA_OP_red_max || op == KAWARA_OP_maxnum;
  switch (op) {
    case KAWARA_OP_add:
    case KAWARA_OP_red_add: return exact(spv::OpFAdd);
    case KAWARA_OP_sub: return exact(spv::OpFSub);
    case KAWARA_OP_mul:
    case KAWARA_OP_red_mul: return exact(spv::OpFMul);
    case KAWARA_OP_div: return exact(spv::OpFDiv);
    case KAWARA_OP_mad: return as_bits(b_.exact(spv::OpFAdd, b_.exact(spv::OpFMul, as_float(a), as_float(b)), as_float(c)));
    case KAWARA_OP_neg: return bits(spv::OpBitwiseXor, kSign);
    case KAWARA_OP_abs: return bits(spv::OpBitwiseAnd, kMagnitude);
    case KAWARA_OP_min:
    case KAWARA_OP_max:
    case KAWARA_OP_red_min:
    case KAWARA_OP_red_max: {
      const Id either = b_.op(spv::OpLogicalOr, b_.bool_type, {is_nan(a), is_nan(b)});
      return b_.select(either, b_.u32(kNaN), lesser(a, b, greater), b_.u32_type);
    }
    case KAWARA_OP_minnum:
    case KAWARA_OP_maxnum: {
      const Id second = b_.select(is_nan(b), b_.u32(kNaN), b, b_.u32_type);
      const Id first = b_.select(is_nan(b), a, lesser(a, b, greater), b_.u32_type);
      return b_.select(is_nan(a), second, first, b_.u32_type);
    }
    case KAWARA_OP_sqrt: return unary(GLSLstd450Sqrt);
    case KAWARA_OP_floor: return unary(GLSLstd450Floor);
    case KAWARA_OP_ceil: return unary(GLSLstd450Ceil);
    case KAWARA_OP_trunc: return unary(GLSLstd450Trunc);
    case KAWARA_OP_rint: return unary(GLSLstd450RoundEven);
    case KAWARA_OP_eq: return compare(spv::OpFOrdEqual);
    case KAWARA_OP_ne: return compare(spv::OpFUnordNotEqual);
    case KAWARA_OP_lt: return compare(spv::OpFOrdLessThan);
    case KAWARA_OP_le: return compare(spv::OpFOrdLessThanEqual);
    case KAWARA_OP_isnan: return flag(is_nan(a));
    case KAWARA_OP_isinf: return flag(test(spv::OpIEqual, bits(spv::OpBitwiseAnd, kMagnitude), b_.u32(kInfinity)));
    default: throw fail(Code::internal, "microcode {} has no f32 form", op);
  }
}

// x / 0 is 0 and INT_MIN / -1 wraps, so neither reaches the device's own division.
Id MicrocodeEmitter::division(uint8_t op, uint8_t type, Id a, Id b) {
  const Id t = type == KAWARA_DTYPE_i64 ? b_.u64_type : b_.u32_type;
  const bool has_sign = type != KAWARA_DTYPE_u32;
  const Id zero = b_.integer(t, 0), one = b_.integer(t, 1), minus_one = b_.integer(t, ~0ull);
  const Id by_zero = test(spv::OpIEqual, b, zero);
  const Id by_minus_one = test(spv::OpIEqual, b, minus_one);
  const Id awkward = has_sign ? b_.op(spv::OpLogicalOr, b_.bool_type, {by_zero, by_minus_one}) : by_zero;
  const Id divisor = b_.select(awkward, one, b, t);
  Id quotient = b_.op(has_sign ? spv::OpSDiv : spv::OpUDiv, t, {a, divisor});
  if (has_sign) quotient = b_.select(by_minus_one, b_.op(spv::OpISub, t, {zero, a}), quotient, t);
  quotient = b_.select(by_zero, zero, quotient, t);
  if (op == KAWARA_OP_div) return quotient;

  // x mod 0 is 0, not x.
  const Id product = b_.op(spv::OpIMul, t, {quotient, b});
  const Id rest = b_.select(by_zero, zero, b_.op(spv::OpISub, t, {a, product}), t);
  if (op == KAWARA_OP_rem) return rest;
  if (!has_sign) return op == KAWARA_OP_mod ? rest : quotient;
  const Id unequal = test(spv::OpSLessThan, b_.op(spv::OpBitwiseXor, t, {rest, b}), zero);
  const Id inexact = test(spv::OpINotEqual, rest, zero);
  const Id adjust = b_.op(spv::OpLogicalAnd, b_.bool_type, {unequal, inexact});
  if (op == KAWARA_OP_mod) return b_.select(adjust, b_.op(spv::OpIAdd, t, {rest, b}), rest, t);
  return b_.select(adjust, b_.op(spv::OpISub, t, {quotient, one}), quotient, t);
}

Id MicrocodeEmitter::emit_integer(uint8_t op, uint8_t type, Id a, Id b, Id c) {
  const bool is_wide = type == KAWARA_DTYPE_i64, has_sign = type != KAWARA_DTYPE_u32;
  const Id t = is_wide ? b_.u64_type : b_.u32_type;
  const auto binary = [&](spv::Op opcode) { return b_.op(opcode, t, {a, b}); };
  const auto pick = [&](spv::Op opcode) { return b_.select(test(opcode, a, b), a, b, t); };
  const auto shift = [&](spv::Op opcode) {
    return b_.op(opcode, t, {a, b_.op(spv::OpBitwiseAnd, t, {b, b_.integer(t, is_wide ? 63 : 31)})});
  };
  switch (op) {
    case KAWARA_OP_add:
    case KAWARA_OP_red_add: return binary(spv::OpIAdd);
    case KAWARA_OP_sub: return binary(spv::OpISub);
    case KAWARA_OP_mul:
    case KAWARA_OP_red_mul: return binary(spv::OpIMul);
    case KAWARA_OP_mad: return b_.op(spv::OpIAdd, t, {binary(spv::OpIMul), c});
    case KAWARA_OP_div:
    case KAWARA_OP_mod:
    case KAWARA_OP_rem:
    case KAWARA_OP_divfloor: return division(op, type, a, b);
    case KAWARA_OP_umulhi: return b_.high_product(a, b);
    case KAWARA_OP_neg: return b_.op(spv::OpSNegate, t, {a});
    case KAWARA_OP_abs: return b_.select(test(spv::OpSLessThan, a, b_.integer(t, 0)), b_.op(spv::OpSNegate, t, {a}), a, t);
    case KAWARA_OP_min:
    case KAWARA_OP_red_min: return pick(has_sign ? spv::OpSLessThan : spv::OpULessThan);
    case KAWARA_OP_max:
    case KAWARA_OP_red_max: return pick(has_sign ? spv::OpSGreaterThan : spv::OpUGreaterThan);
    case KAWARA_OP_and:
    case KAWARA_OP_red_and: return binary(spv::OpBitwiseAnd);
    case KAWARA_OP_or:
    case KAWARA_OP_red_or: return binary(spv::OpBitwiseOr);
    case KAWARA_OP_xor: return binary(spv::OpBitwiseXor);
    case KAWARA_OP_not: return b_.op(spv::OpNot, t, {a});
    case KAWARA_OP_shl: return shift(spv::OpShiftLeftLogical);
    case KAWARA_OP_shr: return shift(has_sign ? spv::OpShiftRightArithmetic : spv::OpShiftRightLogical);
    case KAWARA_OP_eq: return flag(test(spv::OpIEqual, a, b));
    case KAWARA_OP_ne: return flag(test(spv::OpINotEqual, a, b));
    case KAWARA_OP_lt: return flag(test(has_sign ? spv::OpSLessThan : spv::OpULessThan, a, b));
    case KAWARA_OP_le: return flag(test(has_sign ? spv::OpSLessThanEqual : spv::OpULessThanEqual, a, b));
    default: throw fail(Code::internal, "microcode {} has no integer form", op);
  }
}

Id MicrocodeEmitter::float_to_integer(uint8_t to, Id a) {
  const bool is_wide = to == KAWARA_DTYPE_i64, has_sign = to != KAWARA_DTYPE_u32;
  const Id t = is_wide ? b_.u64_type : b_.u32_type;
  const Id low = b_.f32_bits(!has_sign ? 0u : is_wide ? 0xdf000000u : 0xcf000000u);            // 0, -2^63, -2^31
  const Id high = b_.f32_bits(!has_sign ? 0x4f800000u : is_wide ? 0x5f000000u : 0x4f000000u);  // 2^32, 2^63, 2^31
  const uint64_t least = !has_sign ? 0 : is_wide ? 1ull << 63 : kSign;
  const uint64_t greatest = !has_sign ? ~0u : is_wide ? ~0ull >> 1 : kMagnitude;
  const Id x = as_float(a);
  const Id above = test(spv::OpFOrdGreaterThan, x, low), below = test(spv::OpFOrdLessThan, x, high);
  const Id inside = b_.op(spv::OpLogicalAnd, b_.bool_type, {above, below});
  const Id safe = b_.select(inside, x, b_.f32_bits(0), b_.f32_type);
  Id result = b_.op(has_sign ? spv::OpConvertFToS : spv::OpConvertFToU, t, {safe});
  result = b_.select(test(spv::OpFOrdGreaterThanEqual, x, high), b_.integer(t, greatest), result, t);
  return b_.select(test(spv::OpFOrdLessThanEqual, x, low), b_.integer(t, least), result, t);
}

Id MicrocodeEmitter::convert(uint8_t to, uint8_t from, Id a) {
  if (to == from) return a;
  if (from == KAWARA_DTYPE_f32) return float_to_integer(to, a);
  if (to == KAWARA_DTYPE_f32) return as_bits(b_.op(from == KAWARA_DTYPE_u32 ? spv::OpConvertUToF : spv::OpConvertSToF, b_.f32_type, {a}));
  if (to == KAWARA_DTYPE_i64) return b_.op(from == KAWARA_DTYPE_i32 ? spv::OpSConvert : spv::OpUConvert, b_.u64_type, {a});
  return from == KAWARA_DTYPE_i64 ? b_.op(spv::OpUConvert, b_.u32_type, {a}) : a;
}

Id MicrocodeEmitter::identity(uint8_t op, uint8_t type) {
  const bool is_float = type == KAWARA_DTYPE_f32, is_wide = type == KAWARA_DTYPE_i64, has_sign = type != KAWARA_DTYPE_u32;
  const Id t = is_wide ? b_.u64_type : b_.u32_type;
  switch (op) {
    case KAWARA_OP_red_add: return b_.integer(t, is_float ? kSign : 0);
    case KAWARA_OP_red_mul: return b_.integer(t, is_float ? 0x3f800000u : 1);
    case KAWARA_OP_red_min: return b_.integer(t, is_float ? kInfinity : is_wide ? ~0ull >> 1 : has_sign ? kMagnitude : ~0u);
    case KAWARA_OP_red_max: return b_.integer(t, is_float ? 0xff800000u : is_wide ? 1ull << 63 : has_sign ? kSign : 0);
    case KAWARA_OP_red_and: return b_.integer(t, ~0ull);
    default: return b_.integer(t, 0);
  }
}

}  // namespace kawara::emulator::vulkan
