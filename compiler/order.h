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

struct Order {
  std::vector<uint32_t> commands;  // a permutation
  // Per position, the last position that is to run at once with this one: it must not have to wait for its memory. None: no
  // memory is given away for that.
  std::vector<uint32_t> held{};

  bool operator==(const Order&) const = default;
};

// Orders that keep every predecessor first; the first one is the order that the commands have. The others copy outputs as soon
// as they are there, inputs just before they are needed, or start on each engine whatever is ready and has the longest way to
// the end before it, with and without memory for what then runs at once.
std::vector<Order> candidate_orders(const Commands& model, std::span<const Price> prices);

}  // namespace kawara::compiler
