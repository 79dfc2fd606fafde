// SPDX-License-Identifier: Apache-2.0
// Where a program's time goes on a chip of its target, command by command, as the chip's work clock charges it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kawara/export.h"
#include "kawara/program.h"

namespace kawara {

// Cycles are those of the work clock: the cost model of hw/cost.h, not a measurement of silicon.
struct CommandProfile {
  std::string node, op;  // as Program::debug has them; empty where a command is of no node
  std::string command;   // a name of commands.def: "gemm", "conv", "vector", "copy", …
  std::string engine;    // "control", "matrix", "vector", "dma_in" or "dma_out"
  uint64_t start = 0;    // cycles since the job's start
  uint64_t cycles = 0;   // from there to its end, beside what runs on other engines
  uint64_t alone = 0;    // cycles that it would take alone
  std::string bound;     // what it would spend most of them on: "start", "compute", "host", "local" or "sram"
  uint64_t host_bytes = 0, local_bytes = 0, sram_bytes = 0;
};

struct EngineProfile {
  std::string engine;
  uint64_t busy = 0;  // cycles
};

struct Profile {
  uint64_t cycles = 0;     // of the whole job: what the record of a run on such a chip says
  uint32_t clock_mhz = 0;  // of the target
  std::vector<EngineProfile> engines;
  std::vector<CommandProfile> commands;  // in the order of the command buffer
};

// Runs nothing. Throws version_mismatch (this kawara does not know the target, or its command set is another) and
// invalid_program (the chip would refuse the commands).
KAWARA_API Profile profile(const Program& program);

}  // namespace kawara
