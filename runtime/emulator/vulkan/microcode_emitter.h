// SPDX-License-Identifier: Apache-2.0
// Writes microcode instructions as SPIR-V, bit for bit what microcode.def states.
#pragma once

#include "emulator/vulkan/spirv_builder.h"
#include "kawara/hw/commands.h"

namespace kawara::emulator::vulkan {

// Values are bits: u32, or u64 where the type is i64.
class MicrocodeEmitter {
 public:
  explicit MicrocodeEmitter(SpirvBuilder& builder) : b_(builder) {}

  // op in `type` on a, b, c. Not load, store; a reduction combines a (what is there) with b.
  Id emit(uint8_t op, uint8_t type, uint16_t imm, Id a, Id b, Id c);
  Id convert(uint8_t to, uint8_t from, Id a);
  // What a reduction starts from.
  Id identity(uint8_t op, uint8_t type);

  Id as_float(Id bits) { return b_.op(spv::OpBitcast, b_.f32_type, {bits}); }
  Id as_bits(Id value) { return b_.op(spv::OpBitcast, b_.u32_type, {value}); }
  Id is_nan(Id bits);

 private:
  Id emit_float(uint8_t op, Id a, Id b, Id c);
  Id emit_integer(uint8_t op, uint8_t type, Id a, Id b, Id c);
  Id emit_sequence(uint8_t op, Id argument);
  Id lesser(Id a, Id b, bool greater);
  Id division(uint8_t op, uint8_t type, Id a, Id b);
  Id float_to_integer(uint8_t to, Id a);
  Id flag(Id condition) { return b_.select(condition, b_.u32(1), b_.u32(0), b_.u32_type); }
  Id test(spv::Op opcode, Id a, Id b) { return b_.op(opcode, b_.bool_type, {a, b}); }

  SpirvBuilder& b_;
};

}  // namespace kawara::emulator::vulkan
