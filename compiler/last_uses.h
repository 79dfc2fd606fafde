// SPDX-License-Identifier: Apache-2.0
// For every byte of a range of addresses, the last command of each engine that used it. Since an engine runs its commands in
// order, whoever is behind the last one is behind all of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kawara/hw/hw.h"

namespace kawara::compiler {

// How many commands of each engine have retired.
using Clock = std::array<uint32_t, KAWARA_ENGINE_COUNT>;

inline void join(Clock& clock, const Clock& other) {
  for (size_t i = 0; i < clock.size(); ++i)
    if (clock[i] < other[i]) clock[i] = other[i];
}

// A tree over the pieces between the borders: both operations take time in proportion to the logarithm of their number.
class LastUses {
 public:
  // Every address that a later call names must be among the borders; their order is free.
  explicit LastUses(std::vector<uint64_t> borders);

  // The engine's number-th command uses [begin, end). Numbers of an engine never fall.
  void record(uint64_t begin, uint64_t end, uint32_t engine, uint32_t number);
  // Raises `clock` to whatever has used a byte of [begin, end).
  void find(uint64_t begin, uint64_t end, Clock& clock) const;

 private:
  struct Node {
    Clock whole{};  // uses of all its bytes
    Clock any{};    // uses of some of its bytes
  };
  size_t piece(uint64_t border) const;

  std::vector<uint64_t> borders_;
  size_t leaves_ = 1;
  std::vector<Node> nodes_;  // 1 is the root, 2n and 2n + 1 are below n
};

}  // namespace kawara::compiler
