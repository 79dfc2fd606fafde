// SPDX-License-Identifier: Apache-2.0
#include "resampling.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace kawara::compiler {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Mode = Interpolation::Mode;
using Positions = Interpolation::Positions;
using Rounding = Interpolation::Rounding;

constexpr Positions kPositions[] = {Positions::half_pixel,    Positions::half_pixel_symmetric, Positions::pytorch_half_pixel,
                                    Positions::align_corners, Positions::asymmetric,           Positions::tf_half_pixel_for_nn};

Resizing resizing(int64_t in, int64_t out) { return {.in = in, .out = out, .scale = static_cast<float>(out) / static_cast<float>(in)}; }

TEST(Resampling, NearestIsOneTapThatWeighsOne) {
  const Resampling got = resample({.rounding = Rounding::floor, .positions = Positions::asymmetric}, resizing(3, 6));
  EXPECT_EQ(got.taps, 1);
  EXPECT_THAT(got.weights, IsEmpty());
  EXPECT_THAT(got.indices, ElementsAre(0, 0, 1, 1, 2, 2));
}

TEST(Resampling, LinearIsTwoTapsAndTheEndsAreRepeated) {
  const Resampling got = resample({.mode = Mode::linear}, resizing(2, 4));
  EXPECT_THAT(got.indices, ElementsAre(0, 0, 0, 1, 0, 1, 1, 1));
  EXPECT_THAT(got.weights, ElementsAre(0.25f, 0.75f, 0.75f, 0.25f, 0.25f, 0.75f, 0.75f, 0.25f));
}

TEST(Resampling, WhatKeepsItsSizeIsACopyInEveryMode) {
  for (const Mode mode : {Mode::nearest, Mode::linear, Mode::cubic})
    for (const Positions positions : kPositions)
      EXPECT_TRUE(resample({.mode = mode, .positions = positions}, resizing(5, 5)).is_identity());
  EXPECT_FALSE(resample({}, resizing(5, 6)).is_identity());
}

TEST(Resampling, OutsideACropThereIsNoIndex) {
  const Interpolation crop{.rounding = Rounding::floor, .positions = Positions::tf_crop_and_resize};
  const Resampling got = resample(crop, {.in = 5, .out = 3, .scale = 0.6f, .start = 0.5f, .end = 1.5f});
  EXPECT_THAT(got.indices, ElementsAre(2, 4, Resampling::kOutside));
  EXPECT_FALSE(line_through(got, 0.6f));
}

TEST(Resampling, ALineGivesTheIndicesOfTheTableThatItReplaces) {
  int lines = 0;
  for (int64_t in = 1; in <= 12; ++in)
    for (int64_t out = 1; out <= 26; ++out)
      for (const Positions positions : kPositions)
        for (const Mode mode : {Mode::nearest, Mode::linear, Mode::cubic})
          for (const Rounding rounding : {Rounding::floor, Rounding::ceil, Rounding::round_prefer_floor, Rounding::round_prefer_ceil}) {
            const Resizing size = resizing(in, out);
            const Resampling table = resample({.mode = mode, .rounding = rounding, .positions = positions}, size);
            const auto line = line_through(table, size.scale);
            if (!line) continue;
            ++lines;
            for (int64_t o = 0; o < out; ++o)
              for (int64_t t = 0; t < table.taps; ++t) {
                int64_t value = line->base + line->step * o;
                value = (value - ((value % line->divisor) + line->divisor) % line->divisor) / line->divisor;
                ASSERT_EQ(std::clamp<int64_t>(value + t, 0, in - 1), table.indices[static_cast<size_t>(o * table.taps + t)])
                    << in << " to " << out << ", element " << o << ", tap " << t;
              }
          }
  EXPECT_GT(lines, 12 * 26 * 6 * 3 * 4 * 9 / 10);
}

TEST(Resampling, ASizeThatIsNoMultipleFollowsTheScaleAsGiven) {
  // 101 * 2.75 is 277.75: the slope is 4 / 11, and no line of 101 / 277 meets all indices.
  const Resampling table =
      resample({.rounding = Rounding::floor, .positions = Positions::asymmetric}, {.in = 101, .out = 277, .scale = 2.75f});
  for (int64_t o = 0; o < table.out; ++o) ASSERT_EQ(table.indices[static_cast<size_t>(o)], o * 4 / 11);
  const auto line = line_through(table, 2.75f);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->step * 11, line->divisor * 4);
}

}  // namespace
}  // namespace kawara::compiler
