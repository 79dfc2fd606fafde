// SPDX-License-Identifier: Apache-2.0
// An exact search for a packing that is no higher than a given capacity.
#pragma once

#include "packing.h"

namespace kawara::compiler {

enum class Found : uint8_t { packing, none, stopped };

struct SearchResult {
  Found found = Found::stopped;
  std::vector<uint64_t> offsets;  // of a packing
  uint64_t steps = 0;             // taken; stopped: at least steps_max
};

// Blocks are not empty. `none` is a proof. What is too large for the search is stopped at once, or early.
SearchResult search_packing(std::span<const Block> blocks, uint64_t capacity, uint64_t steps_max, const Waiting& waiting = {});

}  // namespace kawara::compiler
