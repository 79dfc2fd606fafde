// SPDX-License-Identifier: Apache-2.0
// In which order the commands of a segment run: any that engines and waits allow, drawn from a seed. A job that is right gives
// the same bits in all of them; one that lacks a wait gives others in some.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "emulator/executor.h"
#include "kawara/hw/hw.h"

namespace kawara::emulator::reference {

// Equal seeds, equal orders of the same segment.
class SeededOrder {
 public:
  // Commands [begin, end) of the job, which lie in one segment; those before have retired.
  SeededOrder(const Job& job, uint32_t begin, uint32_t end, uint64_t seed);

  // Each call takes the command before as retired. Nothing once all have.
  std::optional<uint32_t> next();

 private:
  // An engine's commands of the segment, and how many of the job's it has retired.
  struct Engine {
    std::vector<uint32_t> commands;
    size_t done = 0;
    uint32_t retired = 0;

    bool idle() const { return done == commands.size(); }
  };
  const kawara_header& header(uint32_t command) const;
  std::optional<uint32_t> wanted();
  std::optional<uint32_t> blocker(uint32_t engine) const;
  void rank();

  const Job& job_;
  std::array<Engine, KAWARA_ENGINE_COUNT> engines_;
  std::mt19937_64 random_;
  bool dma_last_;      // copies run when something waits for them, and not before
  uint32_t patience_;  // commands that a ranking lasts for, about; 0: all
  std::array<uint32_t, KAWARA_ENGINE_COUNT> ranking_;
};

}  // namespace kawara::emulator::reference
