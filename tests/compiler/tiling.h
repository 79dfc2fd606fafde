// SPDX-License-Identifier: Apache-2.0
// Blocks whose least packing is known: pieces of a rectangle of time and memory that was cut until there were enough of them.
#pragma once

#include <random>
#include <utility>
#include <vector>

#include "packing.h"

namespace kawara::compiler {

struct Tiling {
  size_t count = 0;       // of blocks
  uint32_t times = 0;     // how many there are
  uint64_t capacity = 0;  // what all need at one time at least, and so the top of the least packing
  double filled = 1;      // the part of times * capacity that the blocks take; the rest was cut from their lives
  uint64_t seed = 0;
};

inline std::vector<Block> cut(const Tiling& tiling) {
  std::mt19937_64 random(tiling.seed);
  const auto below = [&](uint64_t end) { return random() % end; };
  std::vector<Block> blocks;
  const auto halve = [&](Block& piece) {
    Block other = piece;
    const uint64_t span = piece.last - piece.first + 1;
    // Memory is cut twice as often: many are alive at once.
    if (span > 1 && (piece.size == 1 || below(3) == 0)) {
      const auto at = static_cast<uint32_t>(piece.first + 1 + below(span - 1));
      piece.last = at - 1;
      other.first = at;
    } else {
      piece.size = 1 + below(piece.size - 1);
      other.size -= piece.size;
    }
    blocks.push_back(other);
  };
  // Four around a fifth: no straight cut parts them.
  const auto pinwheel = [&](Block& piece) {
    const uint64_t span = piece.last - piece.first + 1;
    const auto a = static_cast<uint32_t>(1 + below(span - 2)), b = static_cast<uint32_t>(a + 1 + below(span - a - 1));
    const uint64_t low = 1 + below(piece.size - 2), high = low + 1 + below(piece.size - low - 1);
    const Block whole = piece;
    const auto part = [&](uint64_t from, uint64_t to, uint64_t size) {
      return Block{static_cast<uint32_t>(whole.first + from), static_cast<uint32_t>(whole.first + to - 1), size};
    };
    piece = part(0, b, low);
    blocks.push_back(part(b, span, high));
    blocks.push_back(part(a, span, whole.size - high));
    blocks.push_back(part(0, a, whole.size - low));
    blocks.push_back(part(a, b, high - low));
  };
  blocks.push_back({0, tiling.times - 1, tiling.capacity});
  while (blocks.size() < tiling.count) {
    // The largest of a few, so that no piece stays much larger than all others.
    size_t chosen = below(blocks.size());
    const auto area = [&](size_t i) { return blocks[i].size * (blocks[i].last - blocks[i].first + 1); };
    for (int i = 0; i < 3; ++i)
      if (const size_t other = below(blocks.size()); area(other) > area(chosen)) chosen = other;
    Block piece = blocks[chosen];
    if (area(chosen) == 1) continue;
    if (blocks.size() + 4 <= tiling.count && piece.size > 2 && piece.last - piece.first > 1 && below(4) == 0)
      pinwheel(piece);
    else
      halve(piece);
    blocks[chosen] = piece;
  }
  // At one time nothing is taken away: all of the capacity stays needed.
  const auto kept = static_cast<uint32_t>(below(tiling.times));
  double area = double(tiling.times) * double(tiling.capacity);
  const double wanted = area * tiling.filled;
  while (area > wanted) {
    Block& block = blocks[below(blocks.size())];
    const bool front = below(2) == 0;
    if (block.first == block.last || (front ? block.first : block.last) == kept) continue;
    front ? ++block.first : --block.last;
    area -= double(block.size);
  }
  for (size_t i = blocks.size(); i-- > 1;) std::swap(blocks[i], blocks[below(i + 1)]);
  return blocks;
}

// By comparing all pairs.
inline bool sound(const std::vector<Block>& blocks, const Packing& packing) {
  for (size_t a = 0; a < blocks.size(); ++a) {
    const uint64_t begin = packing.offsets[a], end = begin + blocks[a].size;
    if (end > packing.top) return false;
    for (size_t b = 0; b < a; ++b) {
      const bool together = blocks[a].first <= blocks[b].last && blocks[b].first <= blocks[a].last;
      if (together && begin < packing.offsets[b] + blocks[b].size && packing.offsets[b] < end) return false;
    }
  }
  return true;
}

}  // namespace kawara::compiler
