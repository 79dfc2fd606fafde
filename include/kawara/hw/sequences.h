/* SPDX-License-Identifier: GPL-2.0 OR MIT */
// The published sequences of sequences.def as constant arrays of steps.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "kawara/hw/commands.h"

namespace kawara {

// An operand of a step. value: number of a temporary, or the bits of a constant.
struct StepSource {
  enum class Kind : uint8_t { none, argument, temporary, constant };
  Kind kind = Kind::none;
  uint32_t value = 0;
};

struct SequenceStep {
  kawara_microcode op;
  kawara_dtype type;
  uint8_t dst;  // a temporary
  StepSource a, b, c;
};

inline constexpr unsigned kSequenceTemporaries = 8;

namespace sequences {
inline constexpr StepSource X{StepSource::Kind::argument, 0}, NONE{};
constexpr StepSource K(uint32_t bits) { return {StepSource::Kind::constant, bits}; }

// A destination counts as a number, a source as a StepSource: T(n) serves for both.
struct T {
  uint8_t number;
  constexpr explicit T(uint8_t n) : number(n) {}
  constexpr operator StepSource() const { return {StepSource::Kind::temporary, number}; }
};

// All rows in order; a sequence is the run of rows that bear its name.
struct Row {
  kawara_microcode sequence;
  SequenceStep step;
};
inline constexpr Row kRows[] = {
#define STEP(name, op, type, dst, a, b, c) \
  {KAWARA_OP_##name, {KAWARA_OP_##op, KAWARA_DTYPE_##type, dst.number, a, b, c}},
#include "kawara/hw/sequences.def"
};

constexpr size_t length(kawara_microcode sequence) {
  size_t count = 0;
  for (const Row& row : kRows) count += row.sequence == sequence;
  return count;
}

template <kawara_microcode sequence>
constexpr auto select_steps() {
  std::array<SequenceStep, length(sequence)> steps{};
  size_t count = 0;
  for (const Row& row : kRows)
    if (row.sequence == sequence) steps[count++] = row.step;
  return steps;
}
template <kawara_microcode sequence>
inline constexpr auto kSteps = select_steps<sequence>();
}  // namespace sequences

// The steps of a sequence, or nothing for any other instruction.
constexpr std::span<const SequenceStep> steps_of(uint8_t op) {
  switch (op) {
#define SEQUENCE(name, ulp_times_1000, low, high, doc) \
  case KAWARA_OP_##name: return sequences::kSteps<KAWARA_OP_##name>;
#include "kawara/hw/sequences.def"
    default: return {};
  }
}

// A sequence's published error, in thousandths of a unit in the last place, over [low, high].
struct SequenceBound {
  kawara_microcode sequence;
  const char* name;
  unsigned ulp_times_1000;
  float low, high;
};
inline constexpr SequenceBound kSequenceBounds[] = {
#define SEQUENCE(name, ulp_times_1000, low, high, doc) {KAWARA_OP_##name, #name, ulp_times_1000, low, high},
#include "kawara/hw/sequences.def"
};

}  // namespace kawara
