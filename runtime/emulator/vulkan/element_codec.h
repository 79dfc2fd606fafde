// SPDX-License-Identifier: Apache-2.0
// Turns elements as memory holds them into register values and back, by integer operations alone for the small types.
#pragma once

#include "emulator/vulkan/microcode_emitter.h"
#include "kawara/dtype.h"

namespace kawara::emulator::vulkan {

class ElementCodec {
 public:
  ElementCodec(SpirvBuilder& builder, MicrocodeEmitter& microcode) : b_(builder), microcode_(microcode) {}

  // The unsigned type that memory holds an element in; four-bit elements come two to a u8.
  Id memory_type(DType dtype) const;
  // Elements of 64 bits fill a register; all others widen to 32.
  static bool is_wide(DType dtype) { return bits(dtype) == 64; }
  // bits: u32 (zero-extended) or, for a wide type, u64.
  Id widen(Id bits, DType dtype);
  // value: u32, or u64 if `type` is i64. The result is u32 (low bits count) or, for a wide type, u64.
  Id narrow(Id value, uint8_t type, DType dtype, bool saturate);
  // Whether `narrow` loses a value out of range (bool); none where it never does.
  Id does_not_fit(Id value, uint8_t type, DType dtype, bool saturate);

 private:
  struct SmallFloat {
    uint32_t exponent_bits, fraction_bits, bias;
    bool has_infinity;
    uint32_t greatest, overflow, nan;  // codes: largest finite, what is beyond it, NaN
  };
  static const SmallFloat* small_float(DType dtype);
  static uint32_t overflow_of(DType dtype);
  Id float_overflows(Id value, DType dtype, bool saturate);
  Id leaves_integer(Id value, DType dtype);
  Id decode(Id bits, const SmallFloat& format);
  Id encode(Id value, const SmallFloat& format, bool saturate);
  Id narrow_float(Id value, DType dtype, bool saturate);
  Id narrow_u64(Id value, uint8_t type, bool saturate);
  Id narrow_integer(Id value, uint8_t type, DType dtype, bool saturate);
  Id and_(Id a, uint32_t mask) { return b_.op(spv::OpBitwiseAnd, b_.u32_type, {a, b_.u32(mask)}); }
  Id shift_left(Id a, uint32_t by) { return b_.op(spv::OpShiftLeftLogical, b_.u32_type, {a, b_.u32(by)}); }
  Id shift_right(Id a, uint32_t by) { return b_.op(spv::OpShiftRightLogical, b_.u32_type, {a, b_.u32(by)}); }
  Id add(Id a, Id b) { return b_.op(spv::OpIAdd, b_.u32_type, {a, b}); }
  Id or_(Id a, Id b) { return b_.op(spv::OpBitwiseOr, b_.u32_type, {a, b}); }
  Id test(spv::Op opcode, Id a, Id b) { return b_.op(opcode, b_.bool_type, {a, b}); }
  Id scale(Id bits, int exponent);  // f32 bits times 2^exponent

  SpirvBuilder& b_;
  MicrocodeEmitter& microcode_;
};

}  // namespace kawara::emulator::vulkan
