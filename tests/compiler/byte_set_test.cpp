// SPDX-License-Identifier: Apache-2.0
// Sets of bytes, and bytes along loops, beside plain lists of them.
#include "byte_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "coordinate_values.h"
#include "strided_bytes.h"

namespace kawara::compiler {
namespace {

using ::testing::ElementsAre;

TEST(ByteSet, JoinsWhatTouchesAndFindsTheFirstGap) {
  ByteSet set;
  EXPECT_EQ(set.gap({5, 9}), (ByteRange{5, 9}));
  set.add({4, 8});
  set.add({12, 16});
  set.add({20, 20});
  EXPECT_EQ(set.gap({4, 8}), std::nullopt);
  EXPECT_EQ(set.gap({6, 20}), (ByteRange{8, 12}));
  EXPECT_EQ(set.gap({2, 20}), (ByteRange{2, 4}));
  EXPECT_EQ(set.gap({20, 21}), (ByteRange{20, 21}));
  EXPECT_EQ(set.gap({9, 9}), std::nullopt) << "no bytes, no gap";
  set.add({8, 12});
  EXPECT_EQ(set.gap({4, 16}), std::nullopt);
  set.clear();
  EXPECT_EQ(set.gap({4, 16}), (ByteRange{4, 16}));
}

TEST(ByteSet, KnowsWhatAListOfFlagsKnows) {
  std::mt19937 random(5);
  ByteSet set;
  std::vector<bool> flags(200);
  for (int i = 0; i < 2000; ++i) {
    const uint64_t begin = random() % 200, end = begin + random() % std::min<uint64_t>(200 - begin + 1, 12);
    const ByteRange bytes{begin, end};
    const auto gap = set.gap(bytes);
    uint64_t first = begin;
    while (first < end && flags[first]) ++first;
    uint64_t behind = first;
    while (behind < end && !flags[behind]) ++behind;
    ASSERT_EQ(gap, first == end ? std::nullopt : std::optional(ByteRange{first, behind}));
    if (i % 40 == 0) set.clear(), flags.assign(200, false);
    if (i % 3 != 0) continue;
    set.add(bytes);
    std::fill(flags.begin() + static_cast<ptrdiff_t>(begin), flags.begin() + static_cast<ptrdiff_t>(end), true);
  }
}

std::vector<std::pair<uint64_t, uint64_t>> runs_of(const StridedBytes& bytes) {
  std::vector<std::pair<uint64_t, uint64_t>> runs;
  bytes.for_each_run([&](const ByteRange& run) { return runs.emplace_back(run.begin, run.end), true; });
  return runs;
}

TEST(StridedBytes, OfADenseTensorAreOneRunWhateverTheOrderOfItsLoops) {
  StridedBytes bytes(800, 32);
  bytes.repeat(4, 32 * 6);
  bytes.repeat(6, 32);
  bytes.repeat(2, -32 * 24);
  bytes.repeat(1, 7);
  bytes.repeat(9, 0);
  bytes.join();
  EXPECT_THAT(runs_of(bytes), ElementsAre(std::pair(100 - 96, 100 + 96)));
  EXPECT_EQ(bytes.runs(), 1u);
}

TEST(StridedBytes, OfAColumnAreARunForEachRow) {
  StridedBytes bytes(0, 8);
  bytes.repeat(3, 8 * 10);
  bytes.repeat(2, 8);
  bytes.join();
  EXPECT_THAT(runs_of(bytes), ElementsAre(std::pair(0, 2), std::pair(10, 12), std::pair(20, 22)));
}

TEST(StridedBytes, OfNibblesAreWholeBytes) {
  StridedBytes bytes(4, 4);
  bytes.repeat(4, 4);
  bytes.join();
  EXPECT_THAT(runs_of(bytes), ElementsAre(std::pair(0, 3)));
}

TEST(StridedBytes, ThatAreNoneHaveNoRuns) {
  EXPECT_THAT(runs_of(StridedBytes()), ElementsAre());
  EXPECT_EQ(StridedBytes().runs(), 0u);
}

TEST(StridedBytes, CountMoreRunsThanThereAreNumbersFor) {
  StridedBytes bytes(0, 1);
  for (int i = 1; i <= 3; ++i) bytes.repeat(uint64_t{1} << 30, (int64_t{1} << 20) + i);
  EXPECT_EQ(bytes.runs(), ~uint64_t{0});
}

TEST(StridedBytes, TouchWhatTheirLoopsTouch) {
  std::mt19937 random(11);
  const auto pick = [&](int low, int high) { return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1)); };
  for (int round = 0; round < 2000; ++round) {
    StridedBytes bytes(8000, 8);
    std::set<int64_t> expected{1000};
    for (int loop = 0; loop < 4; ++loop) {
      const int count = pick(1, 4), stride = pick(-12, 12);
      bytes.repeat(static_cast<uint64_t>(count), 8 * stride);
      std::set<int64_t> repeated;
      for (int i = 0; i < count; ++i)
        for (const int64_t at : expected) repeated.insert(at + i * stride);
      expected = repeated;
    }
    bytes.join();
    std::set<int64_t> got;
    for (const auto& [begin, end] : runs_of(bytes))
      for (uint64_t at = begin; at < end; ++at) got.insert(static_cast<int64_t>(at));
    ASSERT_EQ(got, expected) << "round " << round;
  }
}

std::set<int64_t> every(const Values& values) {
  if (values.empty) return {};
  std::set<int64_t> found{values.low};
  for (const Progression& sum : values.sums) {
    std::set<int64_t> more;
    for (uint64_t i = 0; i < sum.count; ++i)
      for (const int64_t value : found) more.insert(value + static_cast<int64_t>(i) * sum.step);
    found = more;
  }
  return found;
}

// The manual's rule, point by point.
std::set<int64_t> every(const LoopedCoordinate& coordinate) {
  std::set<int64_t> sums{coordinate.base}, values;
  for (const Progression& sum : coordinate.sums) {
    std::set<int64_t> more;
    for (uint64_t i = 0; i < sum.count; ++i)
      for (const int64_t value : sums) more.insert(value + static_cast<int64_t>(i) * sum.step);
    sums = more;
  }
  for (const int64_t sum : sums) {
    const int64_t den = coordinate.den, extent = coordinate.extent;
    if (coordinate.exact && sum % den != 0) continue;
    int64_t value = sum / den - (sum % den < 0);
    if (coordinate.clamp) value = std::clamp<int64_t>(value, 0, std::max<int64_t>(extent, 1) - 1);
    if (value >= 0 && value < extent) values.insert(value);
  }
  return values;
}

// Where there is an answer it is the right one; and there is one for what tensors are read with.
TEST(CoordinateValues, AreThoseOfTheManualsRule) {
  std::mt19937 random(13);
  const auto pick = [&](int low, int high) { return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1)); };
  int answered = 0;
  for (int round = 0; round < 20000; ++round) {
    LoopedCoordinate coordinate{.base = pick(-8, 8),
                                .sums = {},
                                .den = pick(0, 1) ? 1u : static_cast<uint32_t>(pick(1, 4)),
                                .extent = static_cast<uint32_t>(pick(0, 14))};
    coordinate.exact = pick(0, 2) == 0;
    coordinate.clamp = !coordinate.exact && pick(0, 2) == 0;
    for (int loop = pick(0, 3); loop > 0; --loop) coordinate.sums.push_back({pick(-4, 4), static_cast<uint64_t>(pick(1, 5))});
    const auto values = values_of(coordinate);
    if (!values) continue;
    ++answered;
    ASSERT_EQ(every(*values), every(coordinate)) << "round " << round;
    EXPECT_EQ(values->empty, every(coordinate).empty());
  }
  EXPECT_GT(answered, 12000);
}

TEST(CoordinateValues, OfWindowsAndBordersAreKnown) {
  // Windows of 3 with a border of 1, step 1 and 2; every second element; upsampling; a transposed convolution's taps.
  EXPECT_TRUE(values_of({.base = -1, .sums = {{1, 8}, {1, 3}}, .extent = 8}));
  EXPECT_TRUE(values_of({.base = -1, .sums = {{2, 4}, {1, 3}}, .extent = 8}));
  EXPECT_TRUE(values_of({.base = 0, .sums = {{2, 4}, {1, 1}}, .extent = 8}));
  EXPECT_TRUE(values_of({.base = -1, .sums = {{1, 16}}, .den = 2, .clamp = true, .extent = 8}));
  EXPECT_TRUE(values_of({.base = 1, .sums = {{1, 16}, {-1, 4}}, .den = 2, .exact = true, .extent = 8}));
}

}  // namespace
}  // namespace kawara::compiler
