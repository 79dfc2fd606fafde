// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/lane_reduction_shader.h"

namespace kawara::emulator::vulkan {

std::vector<uint32_t> LaneReductionShader::build() {
  find_tile();
  declare_registers();
  clear_registers();
  be_one();
  start_streams();
  for (unsigned i = 0; i < plan_.n_accumulators; ++i) accumulators_[i] = load(plan_.first_accumulator() + i);
  for (const PlanPhase& phase : plan_.phases) {
    emit_range(phase.fields.before, phase.fields.step);
    if (phase.is_long) emit_by_lanes(phase);
    be_one();
    emit_range(phase.fields.after, phase.fields.end);
  }
  return b_.finish();
}

void LaneReductionShader::be_one() {
  const Id u32 = b_.u32_type;
  index_[nest_.lane_loop().index] = Id::none;
  position_ = offset_ = b_.u32(0);
  const Id is_there = test(spv::OpUGreaterThan, count_, b_.u32(0));
  stores_ = test(spv::OpULessThan, code_.lane(), b_.select(is_there, b_.u32(1), b_.u32(0), u32));
}

// Lanes without a step read the last one's elements.
void LaneReductionShader::be_steps(uint32_t vector) {
  const Id u32 = b_.u32_type;
  position_ = b_.u32(vector * nest_.lanes);
  offset_ = code_.lane();
  const Id step = add(u32, position_, offset_), last = b_.op(spv::OpISub, u32, {parameter(ParameterKind::lane_extent), b_.u32(1)});
  stores_ = test(spv::OpULessThan, step, count_);
  index_[nest_.lane_loop().index] = b_.select(test(spv::OpULessThan, step, last), step, last, u32);
}

// Partial p takes steps p, p + 32, …
void LaneReductionShader::emit_by_lanes(const PlanPhase& phase) {
  const uint32_t vectors_of_partials = kPartials / nest_.lanes;
  const auto list = reductions(phase);
  std::vector<std::vector<Id>> partials;
  for (const kawara_instr& instr : list) partials.emplace_back(vectors_of_partials, microcode_.identity(instr.op, instr.type));
  for (uint32_t vector = 0; vector < nest_.vectors; ++vector) {
    be_steps(vector);
    for (size_t r = 0; r < list.size(); ++r) write_register(list[r].dst, partials[r][vector % vectors_of_partials], false);
    emit_range(phase.fields.step, phase.fields.after);
    const bool is_full = vector + vectors_of_partials < nest_.vectors;  // as are all rounds but the last
    for (size_t r = 0; r < list.size(); ++r) {
      Id& partial = partials[r][vector % vectors_of_partials];
      const Id value = read_register(list[r].dst, false);
      partial = is_full ? value : b_.select(stores_, value, partial, b_.u32_type);
    }
  }
  for (size_t r = 0; r < list.size(); ++r) write_register(list[r].dst, combined(list[r], partials[r]), false);
}

// Halving: partial i takes partial i + 16, then i + 8, … Between lanes, both of a pair compute what the lower one has to.
Id LaneReductionShader::combined(const kawara_instr& reduction, std::vector<Id> partials) {
  const Id u32 = b_.u32_type;
  const auto both = [&](Id low, Id high) { return microcode_.emit(reduction.op, reduction.type, 0, low, high, Id::none); };
  for (size_t half = partials.size() / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; ++i) partials[i] = both(partials[i], partials[i + half]);
  Id value = partials[0];
  for (uint32_t half = nest_.lanes / 2; half > 0; half /= 2) {
    const Id other = code_.exchanged(value, half);
    const Id is_high = test(spv::OpINotEqual, b_.op(spv::OpBitwiseAnd, u32, {code_.lane(), b_.u32(half)}), b_.u32(0));
    value = both(b_.select(is_high, other, value, u32), b_.select(is_high, value, other, u32));
  }
  return value;
}

}  // namespace kawara::emulator::vulkan
