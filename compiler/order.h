// SPDX-License-Identifier: Apache-2.0
// In which order commands may stand, and orders that are worth a try.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "command.h"
#include "prices.h"

namespace kawara::compiler {

// For each command, those that must stand before it: what it reads they write, and what it writes they read or write.
std::vector<std::vector<uint32_t>> predecessors(const Commands& model);

// Permutations of the commands that keep every predecessor first; the first one is the order that they have. The others copy
// outputs as soon as they are there, inputs just before they are needed, or start on each engine whatever is ready and has
// the longest way to the end before it.
std::vector<std::vector<uint32_t>> candidate_orders(const Commands& model, std::span<const Price> prices);

}  // namespace kawara::compiler
