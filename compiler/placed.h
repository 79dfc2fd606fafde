// SPDX-License-Identifier: Apache-2.0
// The blocks that have a place already, by offset.
#pragma once

#include <algorithm>

#include "packing.h"

namespace kawara::compiler {

class Placed {
 public:
  // The smallest gap that holds the block, else the end of those alive with it.
  uint64_t place_for(const Block& block) const {
    uint64_t best = ~0ull, best_gap = ~0ull, end = 0;
    for (const Entry& other : entries_) {
      if (other.first > block.last || block.first > other.last) continue;
      if (other.begin >= end + block.size && other.begin - end < best_gap) {
        best = end;
        best_gap = other.begin - end;
      }
      end = std::max(end, other.end);
    }
    return best == ~0ull ? end : best;
  }
  void add(const Block& block, uint64_t offset) {
    entries_.insert(std::ranges::upper_bound(entries_, offset, {}, &Entry::begin),
                    Entry{offset, offset + block.size, block.first, block.last});
  }
  size_t count() const { return entries_.size(); }

 private:
  struct Entry {
    uint64_t begin, end;
    uint32_t first, last;
  };
  std::vector<Entry> entries_;
};

}  // namespace kawara::compiler
