// SPDX-License-Identifier: Apache-2.0
// Where every buffer lies in its region. Two buffers share bytes only if one's last command stands before the other's first;
// schedule() then orders the commands that meet there. What moves most for its size goes to the SRAM scratchpad, the rest to
// the arena in local memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "command.h"
#include "packing.h"

namespace kawara::compiler {

constexpr uint64_t kAlignment = 256;  // of every buffer in its region

// What is known of the fewest bytes that the same buffers could take, each kept for as long as the order asks for.
struct Minimum {
  uint64_t least_bytes = 0;  // no fewer
  Proof proof = Proof::bound;
  uint64_t steps = 0;  // that were taken to get there
};

struct Allocation {
  std::vector<uint64_t> offsets;  // per buffer; kUnused where no command touches it
  std::vector<bool> in_sram;      // per buffer; its offset is in the SRAM region then
  uint64_t arena_bytes = 0, sram_bytes = 0, weights_bytes = 0;
  // No plan that puts the same buffers there can be smaller: the most that is alive at one command.
  uint64_t arena_bound_bytes = 0, sram_bound_bytes = 0;
  Minimum arena_minimum, sram_minimum;
  uint64_t traffic_kept_bytes = 0;  // that commands move to and from SRAM instead of local memory
  static constexpr uint64_t kUnused = ~0ull;
};

// The first and last command that touch a buffer.
struct Lifetime {
  uint32_t first = ~0u, last = 0;
  bool used() const { return first != ~0u; }
};
std::vector<Lifetime> lifetimes(const Commands& model);

// Only what lives within one segment can lie in SRAM. traffic: bytes that commands move to and from each buffer; none, or no
// SRAM: all lies in the arena. held: for each command the last one that shall not reuse the bytes that it touches, since the
// two may run at once; none: each holds them for itself alone.
Allocation allocate(const Commands& model, uint64_t sram_bytes = 0, std::span<const uint64_t> traffic = {},
                    std::span<const uint32_t> held = {}, const PackingEffort& effort = kThorough, const Waiting& waiting = {});

// Why a region takes no fewer bytes, in words.
std::string describe(const Minimum& minimum, uint64_t bytes, uint64_t bound_bytes);

}  // namespace kawara::compiler
