// SPDX-License-Identifier: Apache-2.0
// A set of bytes, kept as ranges that lie apart.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

namespace kawara::compiler {

struct ByteRange {
  uint64_t begin = 0, end = 0;

  bool operator==(const ByteRange&) const = default;
};

class ByteSet {
 public:
  // Takes time in proportion to the logarithm of the number of ranges, and to those that it joins.
  void add(ByteRange bytes) {
    if (bytes.begin >= bytes.end) return;
    auto next = ranges_.upper_bound(bytes.begin);
    if (next != ranges_.begin() && std::prev(next)->second >= bytes.begin) {
      --next;
      bytes.begin = next->first;
    }
    while (next != ranges_.end() && next->first <= bytes.end) {
      bytes.end = std::max(bytes.end, next->second);
      next = ranges_.erase(next);
    }
    ranges_.emplace_hint(next, bytes.begin, bytes.end);
  }
  // The first range of `bytes` that is not in the set.
  std::optional<ByteRange> gap(ByteRange bytes) const {
    auto next = ranges_.upper_bound(bytes.begin);
    if (next != ranges_.begin()) bytes.begin = std::max(bytes.begin, std::prev(next)->second);
    if (bytes.begin >= bytes.end) return std::nullopt;
    if (next != ranges_.end()) bytes.end = std::min(bytes.end, next->first);
    return bytes;
  }
  void clear() { ranges_.clear(); }

 private:
  std::map<uint64_t, uint64_t> ranges_;  // ends, by first byte
};

}  // namespace kawara::compiler
