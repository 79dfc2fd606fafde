// SPDX-License-Identifier: Apache-2.0
#include "range_allocator.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace kawara {
namespace {

TEST(RangeAllocator, TakesTheFirstFit) {
  RangeAllocator ranges(100, 200);
  EXPECT_EQ(ranges.take(10, 1), 100u);
  EXPECT_EQ(ranges.take(50, 1), 110u);
  ranges.give_back(100, 10);
  EXPECT_EQ(ranges.take(20, 1), 160u);
  EXPECT_EQ(ranges.take(10, 1), 100u);
}

TEST(RangeAllocator, Aligns) {
  RangeAllocator ranges(1, 4096 * 3);
  EXPECT_EQ(ranges.take(4096, 4096), 4096u);
  EXPECT_EQ(ranges.take(4095, 1), 1u) << "what alignment left over is still there";
}

TEST(RangeAllocator, GivesNothingThatDoesNotFit) {
  RangeAllocator ranges(0, 100);
  EXPECT_EQ(ranges.take(101, 1), std::nullopt);
  EXPECT_EQ(ranges.take(~uint64_t{0}, 1), std::nullopt);
  EXPECT_EQ(ranges.take(1, uint64_t{1} << 63), 0u);
  EXPECT_EQ(ranges.take(1, uint64_t{1} << 63), std::nullopt);
  EXPECT_EQ(RangeAllocator(5, 5).take(1, 1), std::nullopt);
}

TEST(RangeAllocator, MergesWhatComesBackInAnyOrder) {
  std::mt19937 random(3);
  RangeAllocator ranges(0, 1 << 20);
  std::map<uint64_t, uint64_t> taken;
  for (int round = 0; round < 20000; ++round) {
    if (taken.empty() || random() % 2) {
      const uint64_t size = 1 + random() % 5000;
      const auto begin = ranges.take(size, uint64_t{1} << random() % 12);
      if (!begin) continue;
      const auto next = taken.lower_bound(*begin);
      ASSERT_TRUE(next == taken.end() || *begin + size <= next->first);
      ASSERT_TRUE(next == taken.begin() || std::prev(next)->first + std::prev(next)->second <= *begin);
      taken.emplace(*begin, size);
    } else {
      const auto range = std::next(taken.begin(), random() % taken.size());
      ranges.give_back(range->first, range->second);
      taken.erase(range);
    }
  }
  for (const auto& [begin, size] : taken) ranges.give_back(begin, size);
  EXPECT_EQ(ranges.free_bytes(), 1u << 20);
  EXPECT_EQ(ranges.take(1 << 20, 1), 0u);
}

}  // namespace
}  // namespace kawara
