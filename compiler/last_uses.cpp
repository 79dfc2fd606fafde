// SPDX-License-Identifier: Apache-2.0
#include "last_uses.h"

#include <algorithm>
#include <bit>

namespace kawara::compiler {

LastUses::LastUses(std::vector<uint64_t> borders) : borders_(std::move(borders)) {
  std::ranges::sort(borders_);
  borders_.erase(std::unique(borders_.begin(), borders_.end()), borders_.end());
  leaves_ = std::bit_ceil(std::max<size_t>(borders_.size(), 1));
  nodes_.resize(2 * leaves_);
}

size_t LastUses::piece(uint64_t border) const { return static_cast<size_t>(std::ranges::lower_bound(borders_, border) - borders_.begin()); }

void LastUses::record(uint64_t begin, uint64_t end, uint32_t engine, uint32_t number) {
  if (begin >= end) return;
  const auto use = [&](size_t node) { nodes_[node].whole[engine] = nodes_[node].any[engine] = number; };
  const size_t first = leaves_ + piece(begin), behind = leaves_ + piece(end);
  for (size_t low = first, high = behind; low < high; low /= 2, high /= 2) {
    if (low % 2 == 1) use(low++);
    if (high % 2 == 1) use(--high);
  }
  for (size_t node = first / 2; node > 0; node /= 2) nodes_[node].any[engine] = number;
  for (size_t node = (behind - 1) / 2; node > 0; node /= 2) nodes_[node].any[engine] = number;
}

void LastUses::find(uint64_t begin, uint64_t end, Clock& clock) const {
  if (begin >= end) return;
  const size_t first = leaves_ + piece(begin), behind = leaves_ + piece(end);
  for (size_t low = first, high = behind; low < high; low /= 2, high /= 2) {
    if (low % 2 == 1) join(clock, nodes_[low++].any);
    if (high % 2 == 1) join(clock, nodes_[--high].any);
  }
  // A use of a whole node is one of everything below it.
  for (size_t node = first / 2; node > 0; node /= 2) join(clock, nodes_[node].whole);
  for (size_t node = (behind - 1) / 2; node > 0; node /= 2) join(clock, nodes_[node].whole);
}

}  // namespace kawara::compiler
