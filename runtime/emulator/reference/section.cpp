// SPDX-License-Identifier: Apache-2.0
#include "emulator/reference/section.h"

#include <algorithm>

#include "kawara/hw/microcode.h"

namespace kawara::emulator::reference {
namespace {

// The manual's order of a tree phase: so many steps strictly in order, beyond that interleaved partials.
constexpr uint64_t kStepsInOrder = 64;
constexpr unsigned kPartials = 32;

constexpr unsigned kFirstReduced = 6;

bool is_reduction(uint8_t op) { return kawara_form_of(op) == KAWARA_FORM_REDUCE; }

}  // namespace

Section::Section(const Job& job, hw::SectionView view, const std::array<uint32_t, 9>& extent, unsigned lane_dim, Health* health)
    : view_(view), extent_(extent), lane_dim_(lane_dim), health_(health) {
  for (const kawara_stream& stream : view.streams()) streams_.emplace_back(job, stream, view.coords(stream), lane_dim);
  const auto words = view.constants();
  constants_.resize(words.size());
  for (size_t i = 0; i < words.size(); ++i) {
    // A 64-bit constant is read at its low word.
    const uint64_t high = i + 1 < words.size() ? words[i + 1] : 0;
    fill(constants_[i], high << 32 | words[i], kLanes);
  }
  for (Lanes& lanes : registers_) fill(lanes, 0, kLanes);
  for (Lanes& lanes : index_lanes_) fill(lanes, 0, kLanes);
  for (Lanes& lanes : accumulators_) fill(lanes, 0, kLanes);
  fill(b_index_, 0, kLanes);
  for (const kawara_instr& instr : view.instrs())
    for (const uint8_t number : {instr.a, instr.b, instr.c})
      reads_reduced_index_ |= number >= KAWARA_SOURCE_INDEX + kFirstReduced && number < KAWARA_SOURCE_ACCUMULATOR;
  for (const kawara_phase& phase : view.phases())
    cost_ += (phase.step - phase.before) + (phase.end - phase.after) + steps(phase) * (phase.after - phase.step);
}

uint64_t Section::steps(const kawara_phase& phase) const {
  uint64_t count = 1;
  for (unsigned dim = 0; dim < 3; ++dim)
    if ((phase.red_dims >> dim & 1) != 0) count *= extent_[kFirstReduced + dim];
  return count;
}

const Lanes& Section::source(uint8_t number) const {
  if (number < KAWARA_SOURCE_CONSTANT) return registers_[number];
  // A constant that the section lacks can only stand where the instruction has no such source.
  if (number < KAWARA_SOURCE_INDEX)
    return number - KAWARA_SOURCE_CONSTANT < constants_.size() ? constants_[number - KAWARA_SOURCE_CONSTANT] : b_index_;
  if (number < KAWARA_SOURCE_ACCUMULATOR) return index_lanes_[number - KAWARA_SOURCE_INDEX];
  if (number < KAWARA_SOURCE_B_INDEX) return accumulators_[number - KAWARA_SOURCE_ACCUMULATOR];
  return b_index_;
}

void Section::run(const Indices& first, unsigned count, const Accumulators& accumulators) {
  index_ = first;
  count_ = count;
  for (unsigned dim = 0; dim < kFirstReduced; ++dim) fill(index_lanes_[dim], first[dim], count);
  for (unsigned lane = 0; lane < count; ++lane) index_lanes_[lane_dim_].low[lane] += lane;
  for (unsigned dim = kFirstReduced; dim < 9; ++dim) set_reduced_index(dim, 0);
  for (unsigned group = 0; group < view_.fields().acc_group; ++group)
    for (unsigned lane = 0; lane < count; ++lane)
      accumulators_[group].low[lane] = accumulators.data[group * accumulators.group_stride + lane * accumulators.lane_stride];
  for (const kawara_phase& phase : view_.phases()) run_phase(phase);
}

void Section::set_reduced_index(unsigned dim, uint32_t value) {
  index_[dim] = value;
  if (reads_reduced_index_) fill(index_lanes_[dim], value, count_);
}

// Row-major: the last swept dimension runs fastest. False, and all back at 0, after the last step.
bool Section::next_step(const kawara_phase& phase) {
  for (unsigned dim = 9; dim-- > kFirstReduced;) {
    if ((phase.red_dims >> (dim - kFirstReduced) & 1) == 0) continue;
    if (index_[dim] + 1 < extent_[dim]) return set_reduced_index(dim, index_[dim] + 1), true;
    set_reduced_index(dim, 0);
  }
  return false;
}

void Section::run_phase(const kawara_phase& phase) {
  run_instructions(phase.before, phase.step, false);
  if (phase.mode == KAWARA_PHASE_TREE) {
    run_tree(phase, steps(phase));
  } else if (steps(phase) != 0) {
    do run_instructions(phase.step, phase.after, false);
    while (next_step(phase));
  }
  run_instructions(phase.after, phase.end, false);
}

void Section::run_tree(const kawara_phase& phase, uint64_t steps) {
  begin_reductions(phase, steps <= kStepsInOrder ? 1 : kPartials);
  uint64_t step = 0;
  if (steps != 0) {
    do {
      partial_ = steps <= kStepsInOrder ? 0 : step++ % kPartials;
      run_instructions(phase.step, phase.after, true);
    } while (next_step(phase));
  }
  combine_partials();
}

void Section::begin_reductions(const kawara_phase& phase, unsigned partials) {
  reductions_.clear();
  for (const kawara_instr& instr : view_.instrs().subspan(phase.step, phase.after - phase.step)) {
    if (!is_reduction(instr.op)) continue;
    Reduction& reduction = reductions_.emplace_back(Reduction{instr, std::vector<Lanes>(partials)});
    for (Lanes& lanes : reduction.partials) fill(lanes, identity(instr.op, instr.type), count_);
  }
}

// By halves: p[i] = combine(p[i], p[i + 16]), then 8, 4, 2, 1.
void Section::combine_partials() {
  for (Reduction& reduction : reductions_) {
    std::vector<Lanes>& partials = reduction.partials;
    const kawara_instr& instr = reduction.instr;
    for (size_t half = partials.size() / 2; half > 0; half /= 2)
      for (size_t i = 0; i < half; ++i)
        evaluate(instr.op, instr.type, instr.imm, partials[i], partials[i + half], partials[i + half], partials[i + half], count_);
    registers_[instr.dst] = partials[0];
  }
  reductions_.clear();
}

void Section::run_instructions(unsigned begin, unsigned end, bool reducing) {
  size_t reduction = 0;
  for (const kawara_instr& instr : view_.instrs().subspan(begin, end - begin)) {
    const Lanes &a = source(instr.a), &b = source(instr.b), &c = source(instr.c);
    if (instr.op == KAWARA_OP_load)
      streams_[instr.imm].load(index_, count_, registers_, registers_[instr.dst]);
    else if (instr.op == KAWARA_OP_store)
      streams_[instr.imm].store(index_, count_, registers_, a, instr.type, health_);
    else if (reducing && is_reduction(instr.op))
      evaluate(instr.op, instr.type, instr.imm, reductions_[reduction++].partials[partial_], a, b, c, count_);
    else
      evaluate(instr.op, instr.type, instr.imm, registers_[instr.dst], a, b, c, count_);
  }
}

}  // namespace kawara::emulator::reference
