// SPDX-License-Identifier: Apache-2.0
// Entry and phases. Instructions: section_shader_body.cpp; streams: section_shader_streams.cpp.
#include "emulator/vulkan/section_shader.h"

#include "kawara/error.h"

namespace kawara::emulator::vulkan {

SectionShader::SectionShader(const NestPlan& plan, uint32_t local_size) : SectionShader(plan, local_size, 0) {}
SectionShader::SectionShader(const NestPlan& plan, uint32_t local_size, uint32_t pushed_words)
    : plan_(plan), local_size_(local_size), b_(local_size, pushed_words), microcode_(b_), codec_(b_, microcode_) {}

std::vector<uint32_t> SectionShader::build() {
  load_parameters();
  const Id inside = apply_limit(find_point());
  const Id body = b_.label(), end = b_.label();
  b_.selection_merge(end);
  b_.branch_if(inside, body, end);
  b_.open(body);
  declare_registers();
  clear_registers();
  start_streams();
  for (unsigned i = 0; i < plan_.n_accumulators; ++i) accumulators_[i] = load(plan_.first_accumulator() + i);
  for (const PlanPhase& phase : plan_.phases) emit_phase(phase);
  b_.branch(end);
  b_.open(end);
  return b_.finish();
}

// All loads of parameters stand first, before any branch: there lavapipe makes each a single scalar load.
void SectionShader::load_parameters() {
  parameters_ = b_.push_constant_address();
  const NestParameters parameters(plan_, Box::whole(plan_), 0);
  for (const Parameter& parameter : parameters.list()) {
    const Id address = b_.op(spv::OpIAdd, b_.u64_type, {parameters_, b_.u64(parameter.offset)});
    loaded_[{parameter.kind, parameter.a, parameter.b, parameter.c}] = b_.load_at(address, parameter.is_wide ? b_.u64_type : b_.u32_type);
  }
}

Id SectionShader::parameter(ParameterKind kind, unsigned a, unsigned b, unsigned c) const {
  const auto found = loaded_.find({kind, a, b, c});
  if (found == loaded_.end())
    throw fail(Code::internal, "a nest's shader reads parameter {} that its layout lacks", static_cast<int>(kind));
  return found->second;
}

// This invocation's loop indices; returns whether there is such a point.
Id SectionShader::find_point() {
  const Id u32 = b_.u32_type;
  const Id line = multiply(u32, b_.workgroup(1), parameter(ParameterKind::row));
  const Id column = add(u32, multiply(u32, b_.workgroup(0), b_.u32(local_size_)), b_.local_index());
  const Id number = add(u32, line, column);
  Id rest = number;
  for (size_t i = plan_.parallel.size(); i-- > 0;) {
    const auto loop = static_cast<unsigned>(i);
    Id position = rest;
    if (i > 0) {
      const Id quotient = b_.quotient(rest, parameter(ParameterKind::magic, loop), parameter(ParameterKind::shift, loop));
      position = b_.op(spv::OpISub, u32, {rest, multiply(u32, quotient, parameter(ParameterKind::count, loop))});
      rest = quotient;
    }
    index_[plan_.parallel[i].index] = add(u32, position, parameter(ParameterKind::first, loop));
  }
  for (unsigned i = 0; i < plan_.reduced.size(); ++i) reduced_extent_.push_back(parameter(ParameterKind::reduced_extent, i));
  return test(spv::OpULessThan, number, parameter(ParameterKind::points));
}

// `limit` clamps one dimension; zero or less leaves nothing to do.
Id SectionShader::apply_limit(Id inside) {
  if (!plan_.limit.is_set) return inside;
  const Id value = b_.load_at(parameter(ParameterKind::limit_address), b_.u32_type);
  inside = and_also(inside, test(spv::OpSGreaterThan, value, b_.u32(0)));
  const Id limit = b_.op(spv::OpUDiv, b_.u32_type, {value, parameter(ParameterKind::limit_divisor)});
  const uint8_t index = plan_.limit.index;
  if (index < kParallelMax) return and_also(inside, test(spv::OpULessThan, index_[index], limit));
  for (size_t i = 0; i < plan_.reduced.size(); ++i)
    if (plan_.reduced[i].index == index)
      reduced_extent_[i] = microcode_.emit(KAWARA_OP_min, KAWARA_DTYPE_u32, 0, reduced_extent_[i], limit, Id::none);
  return inside;
}

void SectionShader::emit_phase(const PlanPhase& phase) {
  emit_range(phase.fields.before, phase.fields.step);
  if (!phase.is_long) {
    for (const kawara_instr& instr : reductions(phase))
      write_register(instr.dst, microcode_.identity(instr.op, instr.type), instr.type == KAWARA_DTYPE_i64);
    emit_steps_nested(phase, 0);
  } else {
    emit_steps_long(phase);
  }
  emit_range(phase.fields.after, phase.fields.end);
}

std::vector<kawara_instr> SectionShader::reductions(const PlanPhase& phase) const {
  std::vector<kawara_instr> result;
  for (unsigned i = phase.fields.step; i < phase.fields.after; ++i)
    if (const uint8_t op = plan_.instrs[i].op; op >= KAWARA_OP_red_add && op <= KAWARA_OP_red_or) result.push_back(plan_.instrs[i]);
  return result;
}

// A loop that runs at least once: no extent is 0.
template <typename Body>
void SectionShader::loop(Id counter, Id start, Id stop, Id by, Body body) {
  const Id header = b_.label(), inner = b_.label(), next = b_.label(), end = b_.label();
  b_.store(counter, start);
  b_.branch(header);
  b_.open(header);
  b_.loop_merge(end, next);
  b_.branch(inner);
  b_.open(inner);
  body();
  b_.branch(next);
  b_.open(next);
  const Id moved = add(b_.u32_type, b_.load(counter, b_.u32_type), by);
  b_.store(counter, moved);
  b_.branch_if(test(spv::OpULessThan, moved, stop), header, end);
  b_.open(end);
}

void SectionShader::emit_steps_nested(const PlanPhase& phase, size_t depth) {
  if (depth == phase.loops.size()) {
    emit_range(phase.fields.step, phase.fields.after);
    return;
  }
  reduce(phase.loops[depth], [&] { emit_steps_nested(phase, depth + 1); });
}

void SectionShader::reduce(uint8_t number, const std::function<void()>& body) {
  const uint8_t index = plan_.reduced[number].index;
  const Id counter = b_.variable(b_.u32_type);
  index_variable_[index] = counter;
  loop(counter, b_.u32(0), reduced_extent_[number], b_.u32(1), body);
  index_variable_[index] = Id::none;
}

Id SectionShader::step_count(const PlanPhase& phase) {
  Id count = b_.u32(1);
  for (const uint8_t number : phase.loops) count = multiply(b_.u32_type, count, reduced_extent_[number]);
  return count;
}

// Partial p takes steps p, p + 32, …; a limit may leave so few steps that they run in order, as one partial.
void SectionShader::emit_steps_long(const PlanPhase& phase) {
  const Id count = step_count(phase);
  const Id is_long = test(spv::OpUGreaterThan, count, b_.u32(kStepsInOrder));
  const Id partials = plan_.limit.is_set ? b_.select(is_long, b_.u32(kPartials), b_.u32(1), b_.u32_type) : b_.u32(kPartials);
  const auto list = reductions(phase);
  std::vector<Id> arrays;
  for (const kawara_instr& instr : list)
    arrays.push_back(b_.array_variable(instr.type == KAWARA_DTYPE_i64 ? b_.u64_type : b_.u32_type, kPartials));
  const Id partial = b_.variable(b_.u32_type), step = b_.variable(b_.u32_type);
  for (const uint8_t number : phase.loops) index_variable_[plan_.reduced[number].index] = b_.variable(b_.u32_type);
  loop(partial, b_.u32(0), partials, b_.u32(1), [&] {
    for (const kawara_instr& instr : list)
      write_register(instr.dst, microcode_.identity(instr.op, instr.type), instr.type == KAWARA_DTYPE_i64);
    loop(step, b_.load(partial, b_.u32_type), count, partials, [&] {
      Id rest = b_.load(step, b_.u32_type);
      for (size_t i = phase.loops.size(); i-- > 0;) {
        const Id variable = index_variable_[plan_.reduced[phase.loops[i]].index], extent = reduced_extent_[phase.loops[i]];
        b_.store(variable, i == 0 ? rest : b_.op(spv::OpUMod, b_.u32_type, {rest, extent}));
        if (i > 0) rest = b_.op(spv::OpUDiv, b_.u32_type, {rest, extent});
      }
      emit_range(phase.fields.step, phase.fields.after);
    });
    for (size_t i = 0; i < list.size(); ++i) {
      const bool wide = list[i].type == KAWARA_DTYPE_i64;
      const Id element = b_.element(arrays[i], wide ? b_.u64_type : b_.u32_type, b_.load(partial, b_.u32_type));
      b_.store(element, read_register(list[i].dst, wide));
    }
  });
  for (const uint8_t number : phase.loops) index_variable_[plan_.reduced[number].index] = Id::none;
  if (!list.empty()) combine_partials(arrays, list, partials);
}

// Halving: partial i takes partial i + 16, then i + 8, … until partial 0 holds the result.
void SectionShader::combine_partials(const std::vector<Id>& partials, const std::vector<kawara_instr>& reductions, Id count) {
  const Id u32 = b_.u32_type, half = b_.variable(u32), i = b_.variable(u32);
  const Id start = b_.label(), header = b_.label(), body = b_.label(), next = b_.label(), end = b_.label(), done = b_.label();
  const auto halved = [&](Id value) { return b_.op(spv::OpShiftRightLogical, u32, {value, b_.u32(1)}); };
  b_.store(half, halved(count));
  const Id several = test(spv::OpUGreaterThan, count, b_.u32(1));
  b_.selection_merge(done);
  b_.branch_if(several, start, done);
  b_.open(start);
  b_.branch(header);
  b_.open(header);
  b_.loop_merge(end, next);
  b_.branch(body);
  b_.open(body);
  loop(i, b_.u32(0), b_.load(half, u32), b_.u32(1), [&] {
    const Id low = b_.load(i, u32), high = add(u32, low, b_.load(half, u32));
    for (size_t r = 0; r < reductions.size(); ++r) {
      const Id type = reductions[r].type == KAWARA_DTYPE_i64 ? b_.u64_type : u32;
      const Id to = b_.element(partials[r], type, low), from = b_.element(partials[r], type, high);
      b_.store(to, microcode_.emit(reductions[r].op, reductions[r].type, 0, b_.load(to, type), b_.load(from, type), Id::none));
    }
  });
  b_.branch(next);
  b_.open(next);
  const Id less = halved(b_.load(half, u32));
  b_.store(half, less);
  b_.branch_if(test(spv::OpUGreaterThan, less, b_.u32(0)), header, end);
  b_.open(end);
  b_.branch(done);
  b_.open(done);
  for (size_t r = 0; r < reductions.size(); ++r) {
    const bool wide = reductions[r].type == KAWARA_DTYPE_i64;
    const Id type = wide ? b_.u64_type : u32;
    write_register(reductions[r].dst, b_.load(b_.element(partials[r], type, b_.u32(0)), type), wide);
  }
}

}  // namespace kawara::emulator::vulkan
