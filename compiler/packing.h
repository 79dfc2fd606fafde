// SPDX-License-Identifier: Apache-2.0
// Where blocks with given lives and sizes lie, so that those alive together share nothing and the top of all is as low as can
// be found: greedy orders first, then hill climbing over them, then an exact search. Each goes on only while the top is above
// the bound, and each counts its steps instead of looking at a clock, so that the same blocks lie the same on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "waiting.h"

namespace kawara::compiler {

struct Block {
  uint32_t first = 0, last = 0;  // both alive
  uint64_t size = 0;             // in any unit; offsets are in the same
};

// Why a packing is no lower.
enum class Proof : uint8_t {
  bound,      // it is the most that is alive at once
  exhausted,  // every lower one was tried, or ruled out
  stopped,    // unknown: the steps were used up
};

struct Packing {
  std::vector<uint64_t> offsets;  // per block
  uint64_t top = 0;
  uint64_t bound = 0;  // no packing is lower: the most alive at once, or more where a search was exhausted
  Proof proof = Proof::bound;
  uint64_t steps = 0;  // of climbing and search
};

// What climbing and search may take, in blocks looked at: 2 to 6 ns each.
struct PackingEffort {
  uint64_t climb_steps = 0;
  uint64_t search_steps = 0;
};
constexpr PackingEffort kQuick{.climb_steps = 1'000'000, .search_steps = 8'000'000};
constexpr PackingEffort kThorough{.climb_steps = 20'000'000, .search_steps = 1'000'000'000};

uint64_t live_max(std::span<const Block> blocks);

Packing pack(std::span<const Block> blocks, const PackingEffort& effort, const Waiting& waiting = {});

}  // namespace kawara::compiler
