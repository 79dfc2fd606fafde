// SPDX-License-Identifier: Apache-2.0
// Runs the microcode of a section: the body of a vector command, or the epilogue of another. A block of neighbouring
// points runs together, one lane each; what a point computes does not depend on its block.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "emulator/executor.h"
#include "emulator/reference/microcode.h"
#include "emulator/reference/stream.h"
#include "kawara/hw/decode.h"

namespace kawara::emulator::reference {

// Accumulator a of lane i is data[a * group_stride + i * lane_stride].
struct Accumulators {
  const uint32_t* data = nullptr;
  int64_t group_stride = 0, lane_stride = 0;
};

class Section {
 public:
  // extent: of the loops, as the command gives or limits them. lane_dim: the parallel loop whose points run together.
  Section(const Job& job, hw::SectionView view, const std::array<uint32_t, 9>& extent, unsigned lane_dim, Health* health);

  // `count` points from `first`, neighbours along lane_dim. count: at most kLanes.
  void run(const Indices& first, unsigned count, const Accumulators& accumulators = {});

  // Instructions that one point takes.
  uint64_t cost() const { return cost_; }

 private:
  void run_phase(const kawara_phase& phase);
  void run_instructions(unsigned begin, unsigned end, bool reducing);
  void run_tree(const kawara_phase& phase, uint64_t steps);
  void begin_reductions(const kawara_phase& phase, unsigned partials);
  void combine_partials();
  bool next_step(const kawara_phase& phase);
  uint64_t steps(const kawara_phase& phase) const;
  void set_reduced_index(unsigned dim, uint32_t value);
  const Lanes& source(uint8_t number) const;

  struct Reduction {
    kawara_instr instr;
    std::vector<Lanes> partials;
  };

  hw::SectionView view_;
  std::array<uint32_t, 9> extent_;
  unsigned lane_dim_;
  Health* health_;
  std::vector<Stream> streams_;
  uint64_t cost_ = 0;
  bool reads_reduced_index_ = false;

  Indices index_{};
  unsigned count_ = 0;
  unsigned partial_ = 0;
  std::array<Lanes, KAWARA_REGISTERS> registers_;
  std::array<Lanes, 9> index_lanes_;
  std::array<Lanes, 4> accumulators_;
  Lanes b_index_;
  std::vector<Lanes> constants_;
  std::vector<Reduction> reductions_;  // of the phase that runs, when its partials are interleaved
};

}  // namespace kawara::emulator::reference
