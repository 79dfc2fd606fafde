// SPDX-License-Identifier: Apache-2.0
#include "section.h"

#include <gmock/gmock.h>

#include "kawara/error.h"

namespace kawara::compiler {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;

hw::Section encode(Section section) {
  section.points.store(0, section.points.load(0, DType::f32));
  std::vector<uint32_t> buffers;
  std::vector<Access> accesses;
  return section.encode_vector(buffers, accesses);
}

Section copy_of(const Shape& shape, const std::vector<int64_t>& from, const std::vector<int64_t>& to) {
  Section section(shape);
  section.input(section.walk({.buffer = 0, .offset = 0, .strides = from}, DType::f32, from));
  section.output(section.walk({.buffer = 1, .offset = 0, .strides = to}, DType::f32, to));
  return section;
}

TEST(Section, LoopsThatAllStreamsStepThroughAsOneAreJoined) {
  const hw::Section dense = encode(copy_of({2, 3, 1, 4}, {12, 4, 4, 1}, {12, 4, 4, 1}));
  EXPECT_EQ(dense.n_par, 1);
  EXPECT_EQ(dense.extent[0], 24u);
  // A transposed input keeps its two loops apart; the batch before them joins one of them.
  const hw::Section turned = encode(copy_of({2, 3, 4}, {12, 1, 3}, {12, 4, 1}));
  EXPECT_EQ(turned.n_par, 3);
  const hw::Section broadcast = encode(copy_of({2, 3, 4}, {0, 0, 1}, {12, 4, 1}));
  EXPECT_EQ(broadcast.n_par, 2);
  EXPECT_EQ(broadcast.extent[0], 6u);
}

TEST(Section, AStrideBelowZeroStartsAtTheLowestElement) {
  Section section({5});
  const std::vector<int64_t> back{-2}, forth{1};
  section.input(section.walk({.buffer = 0, .offset = 8, .strides = back}, DType::f32, back));
  section.output(section.walk({.buffer = 1, .offset = 0, .strides = forth}, DType::f32, forth));
  const hw::Section encoded = encode(std::move(section));
  EXPECT_EQ(kawara_operand_offset(encoded.streams[0].data), 0u);
  EXPECT_EQ(encoded.coords[0].base, 8);
  EXPECT_EQ(encoded.coords[0].coef[0], -2);
  EXPECT_EQ(encoded.coords[0].extent, 9u);
}

TEST(Section, AFootprintOf2To31ElementsTakesACoordinateForEachLoop) {
  const int64_t row = int64_t{1} << 30;
  const hw::Section narrow = encode(copy_of({1, row}, {row, 1}, {row, 1}));
  EXPECT_THAT(narrow.coords, SizeIs(2));
  const hw::Section wide = encode(copy_of({4, row}, {2 * row, 1}, {row, 1}));
  EXPECT_THAT(wide.coords, SizeIs(4));
  EXPECT_TRUE(wide.index64);
  EXPECT_EQ(wide.coords[0].stride, 2 * row);
  EXPECT_THAT(wide.coords[0].coef, ElementsAre(1, 0, 0, 0, 0, 0, 0, 0, 0));
}

TEST(Section, MoreThanSixLoopsThatCannotBeJoinedAreRefused) {
  Shape shape(7, 2);
  std::vector<int64_t> forth, back;
  for (int i = 0; i < 7; ++i) {
    forth.push_back(int64_t{1} << (6 - i));
    back.push_back(int64_t{1} << i);
  }
  EXPECT_NO_THROW(encode(copy_of(shape, forth, forth)));
  try {
    encode(copy_of(shape, back, forth));
    FAIL() << "seven loops were taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unsupported);
    EXPECT_THAT(error.what(), testing::HasSubstr("at most 6 parallel loops"));
  }
}

TEST(Section, AnEqualInputIsReadOnce) {
  Section section({4});
  const std::vector<int64_t> step{1};
  const View view{.buffer = 3, .offset = 2, .strides = step};
  EXPECT_EQ(section.input(section.walk(view, DType::f32, step)), section.input(section.walk(view, DType::f32, step)));
  EXPECT_NE(section.input(section.walk(view, DType::i32, step)), section.input(section.walk(view, DType::f32, step)));
}

}  // namespace
}  // namespace kawara::compiler
