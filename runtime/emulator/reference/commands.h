// SPDX-License-Identifier: Apache-2.0
// One function per command: what it does, start to end, on the calling thread. Each returns early when `pace` says so.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "emulator/executor.h"
#include "emulator/reference/pace.h"
#include "emulator/reference/stream.h"
#include "kawara/hw/decode.h"

namespace kawara::emulator::reference {

// The one dimension that a command's `limit` clamps, as memory has it when the command starts.
struct Limit {
  unsigned dim = KAWARA_HEADER_LIMIT_NONE;
  uint32_t value = 0;

  uint32_t clamp(unsigned number, uint32_t extent) const { return number == dim ? std::min(extent, value) : extent; }
};

// health: null where the command does not ask for it.
void run_vector(const Job& job, const hw::CommandView& command, const Limit& limit, Pace& pace, Health* health);
void run_gemm(const Job& job, const hw::CommandView& command, const Limit& limit, Pace& pace, Health* health);
void run_conv(const Job& job, const hw::CommandView& command, const Limit& limit, Pace& pace, Health* health);
void run_copy(const Job& job, const hw::CommandView& command, const Limit& limit, Pace& pace, Health* health);

// Moves on to the next point of the parallel loops but one, the last fastest. False after the last point.
inline bool next_point(Indices& point, const std::array<uint32_t, 9>& extent, unsigned except) {
  for (unsigned dim = 6; dim-- > 0;) {
    if (dim == except) continue;
    if (point[dim] + 1 < extent[dim]) return ++point[dim], true;
    point[dim] = 0;
  }
  return false;
}

}  // namespace kawara::emulator::reference
