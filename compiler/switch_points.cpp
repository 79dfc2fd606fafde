// SPDX-License-Identifier: Apache-2.0
#include "switch_points.h"

#include "allocate.h"
#include "kawara/error.h"

namespace kawara::compiler {

namespace {

// Bytes of the arena that live behind each command.
std::vector<uint64_t> bytes_across(const Commands& model) {
  std::vector<uint64_t> across(model.commands.size() + 1);
  const auto lives = lifetimes(model);
  for (size_t i = 0; i < lives.size(); ++i) {
    if (model.buffers[i].role != Buffer::Role::arena || !lives[i].used()) continue;
    across[lives[i].first] += model.buffers[i].size_bytes;
    across[lives[i].last] -= model.buffers[i].size_bytes;
  }
  for (size_t i = 1; i < across.size(); ++i) across[i] += across[i - 1];
  return across;
}

}  // namespace

void set_switch_points(Commands& model, std::span<const Price> prices, uint64_t limit) {
  const auto across = bytes_across(model);
  const uint64_t share = segment_share(limit);
  for (Command& command : model.commands) command.switch_point = false;
  for (size_t begin = 0; begin < prices.size();) {
    const Command& first = model.commands[begin];
    if (prices[begin].most > limit)
      throw Error(Code::unsupported,
                  fmt::format("{} '{}': a command runs for at most {} cycles, this takes {}", first.operators, first.node, limit,
                              prices[begin].most),
                  first.node);
    uint64_t cycles = prices[begin].most;
    size_t end = begin + 1, best = end;
    for (; end < prices.size() && cycles + prices[end].most <= share; ++end) {
      cycles += prices[end].most;
      // A segment of less than half its share would only buy more of them.
      if (cycles * 2 < share || across[end] <= across[best - 1]) best = end + 1;
    }
    if (end == prices.size()) return;
    model.commands[best - 1].switch_point = true;
    begin = best;
  }
}

}  // namespace kawara::compiler
