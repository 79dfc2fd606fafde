// SPDX-License-Identifier: Apache-2.0
#include "range_allocator.h"

#include <iterator>

namespace kawara {

RangeAllocator::RangeAllocator(uint64_t begin, uint64_t end) : free_bytes_(end - begin) {
  if (begin != end) free_.emplace(begin, end);
}

std::optional<uint64_t> RangeAllocator::take(uint64_t size, uint64_t alignment) {
  for (auto range = free_.begin(); range != free_.end(); ++range) {
    const auto [begin, end] = *range;
    const uint64_t first = (begin + alignment - 1) & ~(alignment - 1);
    if (first < begin || first > end || end - first < size) continue;
    if (first == begin) {
      free_.erase(range);
    } else {
      range->second = first;
    }
    if (first + size != end) free_.emplace(first + size, end);
    free_bytes_ -= size;
    return first;
  }
  return std::nullopt;
}

void RangeAllocator::give_back(uint64_t begin, uint64_t size) {
  auto range = free_.emplace(begin, begin + size).first;
  free_bytes_ += size;
  if (const auto next = std::next(range); next != free_.end() && next->first == range->second) {
    range->second = next->second;
    free_.erase(next);
  }
  if (range != free_.begin()) {
    if (const auto previous = std::prev(range); previous->second == range->first) {
      previous->second = range->second;
      free_.erase(range);
    }
  }
}

}  // namespace kawara
