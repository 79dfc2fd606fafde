// SPDX-License-Identifier: Apache-2.0
// Where every buffer lies in its region. Two buffers share arena bytes only if one's last command stands before the other's
// first; schedule() then orders the commands that meet there.
#pragma once

#include <cstdint>
#include <vector>

#include "command.h"

namespace kawara::compiler {

struct Allocation {
  std::vector<uint64_t> offsets;  // per buffer; kUnused where no command touches it
  uint64_t arena_bytes = 0, weights_bytes = 0;
  uint64_t live_bytes_max = 0;  // no arena can be smaller: the most that is alive at one command
  static constexpr uint64_t kUnused = ~0ull;
};

// The first and last command that touch a buffer.
struct Lifetime {
  uint32_t first = ~0u, last = 0;
  bool used() const { return first != ~0u; }
};
std::vector<Lifetime> lifetimes(const Commands& model);

Allocation allocate(const Commands& model);

}  // namespace kawara::compiler
