// SPDX-License-Identifier: Apache-2.0
// Arrays with indices, for plain loops that say what an operator means.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace kawara::test {

using Index = std::vector<int64_t>;

struct Array {
  std::vector<int64_t> shape;
  std::vector<float> values;

  size_t position(const Index& index) const {
    int64_t at = 0;
    for (size_t i = 0; i < shape.size(); ++i) at = at * shape[i] + index.at(i);
    return static_cast<size_t>(at);
  }
  float at(const Index& index) const { return values.at(position(index)); }
  float& at(const Index& index) { return values.at(position(index)); }
};

inline void for_each_point(const std::vector<int64_t>& shape, const std::function<void(const Index&)>& visit) {
  Index index(shape.size());
  for (;;) {
    visit(index);
    size_t i = shape.size();
    while (i > 0 && ++index[i - 1] == shape[i - 1]) index[--i] = 0;
    if (i == 0) return;
  }
}

// Repeatable numbers within -2 and 2.
inline Array numbers(std::vector<int64_t> shape, uint32_t seed) {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  Array array{std::move(shape), {}};
  uint32_t state = seed * 2654435761u + 1;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    array.values.push_back(static_cast<float>(state >> 8) / static_cast<float>(1 << 22) - 2.0f);
  }
  return array;
}

}  // namespace kawara::test
