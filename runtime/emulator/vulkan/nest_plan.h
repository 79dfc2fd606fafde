// SPDX-License-Identifier: Apache-2.0
// A nest made ready for a shader: coordinates that never leave their extent are folded into plain strides, loops that are
// one in memory become one, and what a shader must know is told apart from what it reads as data.
#pragma once

#include <string>

#include "emulator/vulkan/nest.h"

namespace kawara::emulator::vulkan {

struct PlanLoop {
  uint8_t index = 0;  // the nest's loop index that it counts; for merged loops the innermost one's
  uint64_t extent = 1;
};

struct PlanCoordinate {
  NestCoordinate fields;
  int64_t step = 0;  // address units per value
};

struct PlanStream {
  NestStream fields;
  int64_t origin = 0;                       // address units to add
  std::array<int64_t, kIndices> step{};     // address units per loop index
  std::vector<PlanCoordinate> coordinates;  // those that must be tested
};

struct PlanPhase {
  kawara_phase fields;
  std::vector<uint8_t> loops;  // into NestPlan::reduced
  bool is_long = false;        // more steps than are combined in order
};

struct NestPlan {
  std::vector<PlanLoop> parallel, reduced;
  std::vector<PlanStream> streams;
  uint32_t n_in = 0, n_accumulators = 0;
  std::vector<PlanPhase> phases;
  std::vector<uint32_t> constants;
  std::vector<kawara_instr> instrs;
  NestLimit limit;
  bool counts_health = false;
  bool is_wide = false;  // addresses need more than 32 bits

  uint32_t first_accumulator() const { return static_cast<uint32_t>(streams.size()) - n_accumulators; }
  // Whether a stream's units are bytes or, for four-bit types, nibbles.
  static bool counts_nibbles(DType dtype) { return bits(dtype) == 4; }

  // Plans with equal identities run the same shader.
  std::string identity() const;
  uint64_t points() const;
  uint64_t steps() const;  // over all phases
};

inline constexpr uint32_t kStepsInOrder = 64, kPartials = 32;

// Every extent is at least 1.
NestPlan plan(const Nest& nest);

}  // namespace kawara::emulator::vulkan
