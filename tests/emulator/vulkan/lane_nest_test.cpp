// SPDX-License-Identifier: Apache-2.0
// Sections whose points go eight at a time through a software device: what lanes, tiles and their borders may get wrong.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "emulator/reference/machine.h"
#include "emulator/vulkan/lane_nest.h"
#include "emulator/vulkan/random_program.h"
#include "emulator/vulkan/twins.h"

namespace kawara::test {
namespace {

void expect_same(const Twins& twins, uint32_t region, DType dtype) {
  const auto got = twins.vulkan<uint8_t>(region), want = twins.reference<uint8_t>(region);
  ASSERT_EQ(got.size(), want.size());
  EXPECT_EQ(first_difference(got, want, dtype), -1);
}

// out[row, column] = in[row, column] * scale[row] + shift[column], and what lies behind each row of out stays.
TEST(LaneNest, ComputesRowsOfAnyLengthAndNothingBehindThem) {
  constexpr uint32_t kRows = 5, kPitch = 3;
  for (const uint32_t columns : {8u, 9u, 15u, 31u, 32u, 33u, 49u, 63u, 64u, 65u, 129u, 200u}) {
    Twins twins;
    const auto in = twins.local(noise(kRows * columns, 1)), scale = twins.local(noise(kRows, 2)), shift = twins.local(noise(columns, 3));
    const auto out = twins.local(noise(kRows * (columns + kPitch), 4));
    hw::Section section;
    section.extent = {kRows, columns};
    section.n_par = 2;
    section.n_in = 3;
    section.coords = {coord(columns, kRows, {{0, 1}}), coord(1, columns, {{1, 1}}), coord(1, kRows, {{0, 1}}),
                      coord(columns + kPitch, kRows, {{0, 1}}), coord(1, columns, {{1, 1}})};
    section.streams = {stream(in, kF32, 0, 2), stream(scale, kF32, 2, 1), stream(shift, kF32, 1, 1), stream(out, kF32, 3, 2)};
    section.instrs = {load(kF32, 0, 0), load(kF32, 1, 1), load(kF32, 2, 2), instr(KAWARA_OP_mad, kF32, 0, 0, 1, 2), store(kF32, 0, 3)};
    section.phases = {once(section.instrs.size())};
    twins.run(hw::blank<kawara_vector>(), &section);
    SCOPED_TRACE(columns);
    expect_same(twins, out, DType::f32);
  }
}

// Tiles overlap nowhere: each element is doubled once.
TEST(LaneNest, ChangesElementsInPlaceOnce) {
  constexpr uint32_t kRows = 70, kColumns = 49;
  Twins twins;
  const auto data = twins.local(noise(kRows * kColumns, 1));
  hw::Section section;
  section.extent = {kRows, kColumns};
  section.n_par = 2;
  section.n_in = 1;
  section.coords = {coord(kColumns, kRows, {{0, 1}}), coord(1, kColumns, {{1, 1}})};
  section.streams = {stream(data, kF32, 0, 2), stream(data, kF32, 0, 2)};
  section.instrs = {load(kF32, 0, 0), instr(KAWARA_OP_add, kF32, 0, 0, 0), store(kF32, 0, 1)};
  section.phases = {once(section.instrs.size())};
  twins.run(hw::blank<kawara_vector>(), &section);
  expect_same(twins, data, DType::f32);
}

// Lanes along the second loop of three, whichever way the elements lie.
TEST(LaneNest, TransposesAndReverses) {
  constexpr uint32_t kA = 3, kB = 40, kC = 11;
  Twins twins;
  const auto in = twins.local(random_elements(DType::i32, kA * kB * kC, 1)), out = twins.local(std::vector<int32_t>(kA * kB * kC)),
             reversed = twins.local(std::vector<int32_t>(kA * kB * kC));
  hw::Section section;
  section.extent = {kA, kB, kC};
  section.n_par = 3;
  section.n_in = 1;
  section.coords = {coord(kB * kC, kA, {{0, 1}}), coord(kC, kB, {{1, 1}}), coord(1, kC, {{2, 1}}),
                    coord(1, kA, {{0, 1}}),       coord(kA, kB, {{1, 1}}), coord(kA * kB, kC, {{2, 1}}),
                    coord(kB * kC, kA, {{0, 1}}), coord(kC, kB, {{1, 1}}), coord(1, kC, {{2, -1}}, kC - 1)};
  section.streams = {stream(in, kI32, 0, 3), stream(out, kI32, 3, 3), stream(reversed, kI32, 6, 3)};
  section.instrs = {load(kI32, 0, 0), store(kI32, 0, 1), store(kI32, 0, 2)};
  section.phases = {once(section.instrs.size())};
  twins.run(hw::blank<kawara_vector>(), &section);
  expect_same(twins, out, DType::i32);
  expect_same(twins, reversed, DType::i32);
}

// A window of 3x3 with a border, along the lanes' loop and beside it, summed step by step.
TEST(LaneNest, ReducesSmallWindowsThatHangOverTheBorder) {
  constexpr uint32_t kChannels = 3, kHeight = 9, kWidth = 37;
  for (const int stride : {1, 2}) {
    const uint32_t height = (kHeight - 1) / stride + 1, width = (kWidth - 1) / stride + 1;
    Twins twins;
    const auto in = twins.local(noise(kChannels * kHeight * kWidth, 5)), weights = twins.local(noise(kChannels * 9, 6)),
               out = twins.local(std::vector<float>(kChannels * height * width));
    hw::Section section;
    section.extent = {kChannels, height, width, 0, 0, 0, 3, 3};
    section.n_par = 3;
    section.n_red = 2;
    section.n_in = 2;
    section.coords = {coord(kHeight * kWidth, kChannels, {{0, 1}}),
                      coord(kWidth, kHeight, {{1, stride}, {6, 1}}, -1),
                      coord(1, kWidth, {{2, stride}, {7, 1}}, -1),
                      coord(9, kChannels, {{0, 1}}),
                      coord(3, 3, {{6, 1}}),
                      coord(1, 3, {{7, 1}}),
                      coord(height * width, kChannels, {{0, 1}}),
                      coord(width, height, {{1, 1}}),
                      coord(1, width, {{2, 1}})};
    section.streams = {stream(in, kF32, 0, 3, 0x3f000000), stream(weights, kF32, 3, 3), stream(out, kF32, 6, 3)};
    section.instrs = {load(kF32, 0, 0), load(kF32, 1, 1), instr(KAWARA_OP_mul, kF32, 0, 0, 1), instr(KAWARA_OP_red_add, kF32, 2, 0),
                      store(kF32, 2, 2)};
    section.phases = {phase(KAWARA_PHASE_TREE, 3, 0, 0, 4, 5)};
    twins.run(hw::blank<kawara_vector>(), &section);
    SCOPED_TRACE(stride);
    expect_same(twins, out, DType::f32);
  }
}

// Rows followed by a border: elements are read as neighbours, the tests are each lane's own.
TEST(LaneNest, PutsABorderBehindRows) {
  constexpr uint32_t kRows = 6, kWidth = 21, kBorder = 3;
  for (const int32_t first : {-2, 0, 4}) {
    Twins twins;
    const auto in = twins.local(noise(kRows * kWidth, 5)), out = twins.local(std::vector<float>((kRows + 3) * (kWidth + kBorder)));
    hw::Section section;
    section.extent = {kRows + 3, kWidth + kBorder};
    section.n_par = 2;
    section.n_in = 1;
    section.coords = {coord(kWidth, kRows, {{0, 1}}, -1), coord(1, kWidth, {{1, 1}}, first), coord(kWidth + kBorder, kRows + 3, {{0, 1}}),
                      coord(1, kWidth + kBorder, {{1, 1}})};
    section.streams = {stream(in, kF32, 0, 2, 0x3f800000), stream(out, kF32, 2, 2)};
    section.instrs = {load(kF32, 0, 0), store(kF32, 0, 1)};
    section.phases = {once(2)};
    twins.run(hw::blank<kawara_vector>(), &section);
    SCOPED_TRACE(first);
    expect_same(twins, out, DType::f32);
  }
}

// Rows by an index that each lane reads, as in an embedding's gather, and the loop's own index as a value.
TEST(LaneNest, FollowsIndicesOfItsLanes) {
  constexpr uint32_t kRows = 20, kColumns = 30;
  Twins twins;
  const auto in = twins.local(noise(kRows * kColumns, 2)), out = twins.local(std::vector<float>(kColumns));
  std::vector<int64_t> chosen(kColumns);
  for (uint32_t i = 0; i < kColumns; ++i) chosen[i] = (i * 7) % (kRows + 2);  // some are no rows
  const auto rows = twins.local(chosen);
  hw::Section section;
  section.extent = {kColumns};
  section.n_par = 1;
  section.n_in = 2;
  kawara_coord row = coord(kColumns, kRows, {});
  row.flags = KAWARA_COORD_INDEXED;
  row.reg = 1;
  section.coords = {row, coord(1, kColumns, {{0, 1}})};
  section.streams = {stream(in, kF32, 0, 2, 0x7f800000), stream(rows, kI64, 1, 1), stream(out, kF32, 1, 1)};
  section.instrs = {load(kI64, 1, 1), load(kF32, 0, 0), instr(KAWARA_OP_cvt, kF32, 2, loop(0), 0, 0, kU32),
                    instr(KAWARA_OP_add, kF32, 0, 0, 2), store(kF32, 0, 2)};
  section.phases = {once(section.instrs.size())};
  twins.run(hw::blank<kawara_vector>(), &section);
  expect_same(twins, out, DType::f32);
}

// Nothing that lies further than kReadableBehind behind an operand is read, however its rows lie.
TEST(LaneNest, LanesWithoutAPointReadTheLastOnes) {
  constexpr uint32_t kColumns = 9, kStride = 1'500'000;
  Twins twins;
  const auto out = twins.local(std::vector<uint32_t>(kColumns));
  const auto far = twins.at_end(size_t{kColumns - 1} * kStride * 4 + 4);
  hw::Section section;
  section.extent = {kColumns};
  section.n_par = 1;
  section.n_in = 1;
  section.coords = {coord(kStride, kColumns, {{0, 1}}), coord(1, kColumns, {{0, 1}})};
  section.streams = {stream(far, kU32, 0, 1), stream(out, kU32, 1, 1)};
  section.instrs = {load(kU32, 0, 0), store(kU32, 0, 1)};
  section.phases = {once(section.instrs.size())};
  twins.run(hw::blank<kawara_vector>(), &section);
  expect_same(twins, out, DType::u32);
}

// out[row] = a reduction of in[row], plus[row] added: one step more than a round of partials has, a whole number of rounds, …
TEST(LaneNest, CombinesPartialsAsTheManualSays) {
  constexpr uint32_t kRows = 21;
  const std::pair<uint8_t, DType> reductions[] = {
      {KAWARA_OP_red_add, DType::f32}, {KAWARA_OP_red_mul, DType::f32}, {KAWARA_OP_red_min, DType::f32}, {KAWARA_OP_red_max, DType::f32},
      {KAWARA_OP_red_add, DType::i32}, {KAWARA_OP_red_min, DType::u32}, {KAWARA_OP_red_max, DType::i32}, {KAWARA_OP_red_and, DType::u32},
      {KAWARA_OP_red_or, DType::u32},  {KAWARA_OP_red_add, DType::i64}};
  for (const uint32_t columns : {65u, 97u, 128u, 384u, 5000u}) {
    for (const auto& [op, dtype] : reductions) {
      if (columns != 97 && op != KAWARA_OP_red_add) continue;
      const auto type = static_cast<uint8_t>(dtype);
      Twins twins;
      const auto in = twins.local(random_elements(dtype, kRows * columns, columns)), plus = twins.local(random_elements(dtype, kRows, 2)),
                 out = twins.local(random_elements(dtype, kRows, 3));
      hw::Section section;
      section.extent = {kRows, 0, 0, 0, 0, 0, columns};
      section.n_par = 1;
      section.n_red = 1;
      section.n_in = 2;
      section.coords = {coord(columns, kRows, {{0, 1}}), coord(1, columns, {{6, 1}}), coord(1, kRows, {{0, 1}})};
      section.streams = {stream(in, type, 0, 2), stream(plus, type, 2, 1), stream(out, type, 2, 1)};
      section.instrs = {load(type, 0, 0), instr(op, type, 1, 0), load(type, 2, 1), instr(KAWARA_OP_add, type, 1, 1, 2), store(type, 1, 2)};
      section.phases = {phase(KAWARA_PHASE_TREE, 1, 0, 0, 2, 5)};
      twins.run(hw::blank<kawara_vector>(), &section);
      SCOPED_TRACE(fmt::format("{} columns, op {} of {}", columns, op, name(dtype)));
      expect_same(twins, out, dtype);
    }
  }
}

TEST(LaneNest, SuitsNeitherShortRowsNorTooLongReductions) {
  emulator::vulkan::Nest nest;
  nest.extent[0] = 7;
  nest.n_par = 1;
  nest.phases = {once(0)};
  EXPECT_FALSE(lane_nest(plan(nest), 8));
  nest.extent[0] = 8;
  EXPECT_TRUE(lane_nest(plan(nest), 8));
  nest.extent[6] = 65;
  nest.n_red = 1;
  nest.instrs = {instr(KAWARA_OP_red_max, kF32, 1, 0)};
  nest.phases = {phase(KAWARA_PHASE_TREE, 1, 0, 0, 1, 1)};
  EXPECT_TRUE(lane_nest(plan(nest), 8));
  nest.extent[6] = 100'000;
  EXPECT_FALSE(lane_nest(plan(nest), 8));
}

}  // namespace
}  // namespace kawara::test
