// SPDX-License-Identifier: Apache-2.0
// Instructions and registers of a nest's shader.
#include "emulator/vulkan/section_shader.h"

namespace kawara::emulator::vulkan {

namespace {

// How wide an instruction's result is. A comparison's is not as wide as what it compares.
bool writes_wide(const NestPlan& plan, const kawara_instr& instr) {
  if (instr.op == KAWARA_OP_load) return ElementCodec::is_wide(plan.streams[instr.imm].fields.dtype);
  const bool compares = instr.op >= KAWARA_OP_eq && instr.op <= KAWARA_OP_isinf;
  return instr.type == KAWARA_DTYPE_i64 && !compares && instr.op != KAWARA_OP_store;
}

}  // namespace

Id SectionShader::and_also(Id a, Id b) { return a == Id::none ? b : b == Id::none ? a : b_.op(spv::OpLogicalAnd, b_.bool_type, {a, b}); }

void SectionShader::declare_registers() {
  for (const kawara_instr& instr : plan_.instrs)
    if (instr.op != KAWARA_OP_store) register_is_wide_[instr.dst] |= writes_wide(plan_, instr);
  for (unsigned i = 0; i < KAWARA_REGISTERS; ++i) {
    const Id type = register_is_wide_[i] ? b_.u64_type : b_.u32_type;
    registers_[i] = b_.variable(type);
  }
}

void SectionShader::clear_registers() {
  for (unsigned i = 0; i < KAWARA_REGISTERS; ++i) b_.store(registers_[i], b_.integer(register_is_wide_[i] ? b_.u64_type : b_.u32_type, 0));
}

Id SectionShader::read_register(unsigned number, bool wide) {
  const Id value = b_.load(registers_[number], register_is_wide_[number] ? b_.u64_type : b_.u32_type);
  if (wide == register_is_wide_[number]) return value;
  return b_.op(spv::OpUConvert, wide ? b_.u64_type : b_.u32_type, {value});
}

void SectionShader::write_register(unsigned number, Id value, bool wide) {
  if (wide != register_is_wide_[number]) value = b_.op(spv::OpUConvert, register_is_wide_[number] ? b_.u64_type : b_.u32_type, {value});
  b_.store(registers_[number], value);
}

Id SectionShader::source(uint8_t number, bool wide) {
  if (number < KAWARA_SOURCE_CONSTANT) return read_register(number, wide);
  if (number < KAWARA_SOURCE_INDEX) {
    const unsigned word = number - KAWARA_SOURCE_CONSTANT;
    const Id low = parameter(ParameterKind::constant, word);
    if (!wide) return low;
    const Id high = b_.op(spv::OpUConvert, b_.u64_type, {parameter(ParameterKind::constant, word + 1)});
    const Id up = b_.op(spv::OpShiftLeftLogical, b_.u64_type, {high, b_.u32(32)});
    return b_.op(spv::OpBitwiseOr, b_.u64_type, {up, b_.op(spv::OpUConvert, b_.u64_type, {low})});
  }
  Id value = b_.u32(0);
  if (number < KAWARA_SOURCE_ACCUMULATOR) {
    const unsigned index = number - KAWARA_SOURCE_INDEX;
    if (index_variable_[index] != Id::none)
      value = b_.load(index_variable_[index], b_.u32_type);
    else if (index_[index] != Id::none)
      value = index_[index];
  } else if (number < KAWARA_SOURCE_B_INDEX) {
    if (const Id accumulator = accumulators_[number - KAWARA_SOURCE_ACCUMULATOR]; accumulator != Id::none) value = accumulator;
  }
  return wide ? b_.op(spv::OpUConvert, b_.u64_type, {value}) : value;
}

void SectionShader::emit_range(unsigned begin, unsigned end) {
  for (unsigned i = begin; i < end; ++i) emit_instruction(plan_.instrs[i]);
}

void SectionShader::emit_instruction(const kawara_instr& instr) {
  const bool wide = instr.type == KAWARA_DTYPE_i64;
  switch (instr.op) {
    case KAWARA_OP_load: return write_register(instr.dst, load(instr.imm), writes_wide(plan_, instr));
    case KAWARA_OP_store: return store(instr.imm, source(instr.a, wide), instr.type);
    case KAWARA_OP_cvt: {
      const auto from = static_cast<uint8_t>(instr.imm);
      return write_register(instr.dst, microcode_.convert(instr.type, from, source(instr.a, from == KAWARA_DTYPE_i64)), wide);
    }
    case KAWARA_OP_select: {
      const Id a = source(instr.a, false), b = source(instr.b, wide), c = source(instr.c, wide);
      return write_register(instr.dst, microcode_.emit(instr.op, instr.type, instr.imm, a, b, c), wide);
    }
    default: break;
  }
  const bool reduces = instr.op >= KAWARA_OP_red_add && instr.op <= KAWARA_OP_red_or;
  const Id a = reduces ? read_register(instr.dst, wide) : source(instr.a, wide);
  // A source that the form does not read names register 0, which is always there.
  const Id b = source(reduces ? instr.a : instr.b, wide);
  const Id c = instr.op == KAWARA_OP_mad ? source(instr.c, wide) : Id::none;
  write_register(instr.dst, microcode_.emit(instr.op, instr.type, instr.imm, a, b, c), writes_wide(plan_, instr));
}

}  // namespace kawara::emulator::vulkan
