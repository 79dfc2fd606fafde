// SPDX-License-Identifier: Apache-2.0
// Which values a coordinate takes over its loops, by the chip's rule: floor(sum / den), cut to [0, extent).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace kawara::compiler {

// step * i for i in [0, count).
struct Progression {
  int64_t step = 1;
  uint64_t count = 1;

  bool operator==(const Progression&) const = default;
};

struct LoopedCoordinate {
  int64_t base = 0;
  std::vector<Progression> sums = {};  // coefficient and extent of each loop
  uint32_t den = 1;
  bool exact = false, clamp = false;
  uint32_t extent = 0;
};

// low plus any sum of one of each; none at all when `empty`. Steps rise and are above 0.
struct Values {
  int64_t low = 0;
  std::vector<Progression> sums = {};
  bool empty = false;
};

// Exactly the values, or nullopt where they have no such form. The coordinate keeps the rules of the chip's check.
std::optional<Values> values_of(const LoopedCoordinate& coordinate);

}  // namespace kawara::compiler
