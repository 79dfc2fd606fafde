// SPDX-License-Identifier: Apache-2.0
#include "view.h"

#include <gmock/gmock.h>

namespace kawara::compiler {

namespace {

using testing::ElementsAre;

TEST(View, ADenseViewIsRowMajor) { EXPECT_THAT(dense_view({2, 3, 4}).strides, ElementsAre(12, 4, 1)); }

TEST(View, ADenseViewTakesAnyShape) {
  const auto view = reshape_view(dense_view({2, 3, 4}), {2, 3, 4}, {6, 2, 2});
  ASSERT_TRUE(view);
  EXPECT_THAT(view->strides, ElementsAre(4, 2, 1));
}

TEST(View, ATransposedViewSplitsButDoesNotMerge) {
  const View transposed{.buffer = 3, .offset = 5, .strides = {1, 4}};  // [4, 6] of [6, 4]
  const auto split = reshape_view(transposed, {4, 6}, {2, 2, 3, 2});
  ASSERT_TRUE(split);
  EXPECT_EQ(split->buffer, 3u);
  EXPECT_EQ(split->offset, 5);
  EXPECT_THAT(split->strides, ElementsAre(2, 1, 8, 4));
  EXPECT_FALSE(reshape_view(transposed, {4, 6}, {24}));
  EXPECT_FALSE(reshape_view(transposed, {4, 6}, {2, 12}));
}

TEST(View, DimensionsOfOneComeAndGo) {
  const auto view = reshape_view({.strides = {100, 7, 2}}, {3, 1, 5}, {1, 3, 5, 1});
  ASSERT_TRUE(view);
  EXPECT_EQ(view->strides[1], 100);
  EXPECT_EQ(view->strides[2], 2);
}

TEST(View, ABroadcastViewStaysOne) {
  const auto view = reshape_view({.strides = {0, 0}}, {4, 6}, {24});
  ASSERT_TRUE(view);
  EXPECT_THAT(view->strides, ElementsAre(0));
}

TEST(View, GatherReadsThroughStrides) {
  const int16_t numbers[] = {0, 1, 2, 3, 4, 5};
  const Tensor tensor = Tensor::copy_of(DType::i16, {2, 3}, std::as_bytes(std::span(numbers)));
  EXPECT_THAT(gather(tensor, {.strides = {1, 3}}, {3, 2}).as<int16_t>(), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(gather(tensor, {.offset = 5, .strides = {-2}}, {3}).as<int16_t>(), ElementsAre(5, 3, 1));
}

}  // namespace

}  // namespace kawara::compiler
