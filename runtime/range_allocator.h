// SPDX-License-Identifier: Apache-2.0
// Hands out ranges of [begin, end): first fit, neighbours merge again when they come back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace kawara {

class RangeAllocator {
 public:
  RangeAllocator(uint64_t begin, uint64_t end);

  // `size` > 0; `alignment` a power of two.
  std::optional<uint64_t> take(uint64_t size, uint64_t alignment);
  void give_back(uint64_t begin, uint64_t size);  // as taken
  uint64_t free_bytes() const { return free_bytes_; }

 private:
  std::map<uint64_t, uint64_t> free_;  // begin -> end, never touching each other
  uint64_t free_bytes_ = 0;
};

}  // namespace kawara
