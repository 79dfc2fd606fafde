// SPDX-License-Identifier: Apache-2.0
#include "packing.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <tuple>

#include "packing_search.h"
#include "placed.h"

namespace kawara::compiler {

namespace {

uint64_t span_of(const Block& block) { return uint64_t{block.last} - block.first + 1; }

using Key = std::tuple<uint64_t, uint64_t>;
using Sorting = Key (*)(const Block&);  // smaller first

// No single order is best for all models.
constexpr Sorting kSortings[] = {
    [](const Block& block) { return Key{~block.size, block.first}; },
    [](const Block& block) { return Key{~span_of(block), ~block.size}; },
    [](const Block& block) { return Key{block.first, ~block.size}; },
    [](const Block& block) { return Key{~(block.size * span_of(block)), block.first}; },
};

// An order to place blocks in, and what it comes to.
struct Attempt {
  std::vector<uint32_t> order;
  std::vector<uint64_t> offsets;  // per block
  uint64_t top = 0;
  uint64_t excess = 0;  // by how much the blocks stand above the bound, all together
};

class Packer {
 public:
  Packer(std::span<const Block> blocks, const PackingEffort& effort, const Waiting& waiting)
      : blocks_(blocks), effort_(effort), waiting_(waiting), bound_(live_max(blocks)) {}

  Packing pack() {
    best_ = attempt(sorted(kSortings[0]));
    for (const Sorting sorting : std::span(kSortings).subspan(1)) {
      if (best_.top == bound_) break;
      if (Attempt other = attempt(sorted(sorting)); other.top < best_.top) best_ = std::move(other);
    }
    steps_ = 0;
    if (best_.top > bound_) climb();
    Packing packing{.offsets = {}, .top = 0, .bound = bound_, .proof = Proof::bound, .steps = 0};
    if (best_.top > bound_) search(packing);
    packing.offsets = std::move(best_.offsets);
    packing.top = best_.top;
    packing.steps = steps_;
    return packing;
  }

 private:
  std::vector<uint32_t> sorted(Sorting sorting) const {
    std::vector<uint32_t> order(blocks_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::stable_sort(order, {}, [&](uint32_t i) { return sorting(blocks_[i]); });
    return order;
  }

  Attempt attempt(std::vector<uint32_t> order) {
    Attempt made{.order = std::move(order), .offsets = std::vector<uint64_t>(blocks_.size()), .top = 0, .excess = 0};
    Placed placed;
    for (const uint32_t i : made.order) {
      steps_ += placed.count();
      const uint64_t offset = made.offsets[i] = placed.place_for(blocks_[i]), end = offset + blocks_[i].size;
      placed.add(blocks_[i], offset);
      made.top = std::max(made.top, end);
      made.excess += end > bound_ ? end - bound_ : 0;
    }
    return made;
  }

  // What stands highest, or what is alive with it, is placed earlier.
  void climb() {
    std::mt19937_64 random(1);
    Attempt now = best_;
    // A few hundred attempts: what they do not find is left to the search.
    const uint64_t steps_max = std::min<uint64_t>(effort_.climb_steps, 200 * blocks_.size() * blocks_.size());
    while (steps_ < steps_max && best_.top > bound_) {
      std::vector<uint32_t> order = now.order;
      const auto highest = std::ranges::find_if(order, [&](uint32_t i) { return now.offsets[i] + blocks_[i].size == now.top; });
      auto moved = highest;
      if (random() % 2 == 0) {
        const auto at = order.begin() + static_cast<ptrdiff_t>(random() % order.size());
        if (blocks_[*at].first <= blocks_[*highest].last && blocks_[*highest].first <= blocks_[*at].last) moved = at;
      }
      const auto to = order.begin() + static_cast<ptrdiff_t>(random() % (static_cast<size_t>(moved - order.begin()) + 1));
      std::rotate(to, moved, moved + 1);
      steps_ += order.size();
      Attempt next = attempt(std::move(order));
      if (next.top < best_.top) best_ = next;
      if (next.excess <= now.excess) now = std::move(next);
      waiting_.look();
    }
  }

  // At the bound first, where most packings lie that can be found at all; then halfway between what is known to be too low, or
  // too hard, and the best. Each search has half of what is left.
  void search(Packing& packing) {
    const uint64_t climbed = steps_;
    uint64_t tried = bound_;  // and all below it
    for (uint64_t capacity = bound_; capacity < best_.top; capacity = tried + (best_.top - tried) / 2) {
      const uint64_t left = effort_.search_steps - std::min(effort_.search_steps, steps_ - climbed);
      SearchResult result = search_packing(blocks_, capacity, left / 2, waiting_);
      steps_ += result.steps;
      switch (result.found) {
        case Found::packing:
          best_.offsets = std::move(result.offsets);
          best_.top = top_of(best_.offsets);
          break;
        case Found::none:
          packing.bound = capacity + 1;
          tried = capacity + 1;
          break;
        case Found::stopped: tried = capacity + 1; break;
      }
    }
    packing.proof = best_.top == bound_ ? Proof::bound : best_.top == packing.bound ? Proof::exhausted : Proof::stopped;
  }

  uint64_t top_of(const std::vector<uint64_t>& offsets) const {
    uint64_t top = 0;
    for (size_t i = 0; i < offsets.size(); ++i) top = std::max(top, offsets[i] + blocks_[i].size);
    return top;
  }

  const std::span<const Block> blocks_;
  const PackingEffort effort_;
  const Waiting& waiting_;
  const uint64_t bound_;
  uint64_t steps_ = 0;
  Attempt best_;
};

}  // namespace

uint64_t live_max(std::span<const Block> blocks) {
  std::vector<std::pair<uint64_t, int64_t>> changes;
  for (const Block& block : blocks) {
    changes.emplace_back(block.first, static_cast<int64_t>(block.size));
    changes.emplace_back(uint64_t{block.last} + 1, -static_cast<int64_t>(block.size));
  }
  std::ranges::sort(changes);  // at one command, what ends before it goes first
  int64_t live = 0, most = 0;
  for (const auto& [at, change] : changes) most = std::max(most, live += change);
  return static_cast<uint64_t>(most);
}

Packing pack(std::span<const Block> blocks, const PackingEffort& effort, const Waiting& waiting) {
  // Empty blocks can lie anywhere. In the largest unit that all sizes are multiples of, fewer heights are to be tried.
  uint64_t unit = 0;
  for (const Block& block : blocks) unit = std::gcd(unit, block.size);
  Packing whole{.offsets = std::vector<uint64_t>(blocks.size()), .top = 0, .bound = 0, .proof = Proof::bound, .steps = 0};
  if (unit == 0) return whole;
  std::vector<Block> filled;
  std::vector<size_t> at;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].size == 0) continue;
    filled.push_back({blocks[i].first, blocks[i].last, blocks[i].size / unit});
    at.push_back(i);
  }
  const Packing packing = Packer(filled, effort, waiting).pack();
  for (size_t i = 0; i < at.size(); ++i) whole.offsets[at[i]] = packing.offsets[i] * unit;
  whole.top = packing.top * unit;
  whole.bound = packing.bound * unit;
  whole.proof = packing.proof;
  whole.steps = packing.steps;
  return whole;
}

}  // namespace kawara::compiler
