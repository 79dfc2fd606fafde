// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/reference/machine.h"
#include "emulator/reference/reference.h"

namespace kawara::test {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

class Vector : public ::testing::Test {
 protected:
  emulator::Health run(const hw::Section& section, uint32_t flags = KAWARA_HEADER_LIMIT_NONE) {
    auto command = hw::blank<kawara_vector>();
    command.header.flags = flags;
    return machine.run(command, &section);
  }

  Machine machine{emulator::reference_executor()};
};

TEST_F(Vector, ReluOfAMillionElements) {
  const std::vector<float> input = noise(1'000'003, 1);
  const uint32_t from = machine.local(input), to = machine.local(std::vector<float>(input.size()));
  const auto count = static_cast<uint32_t>(input.size());
  run({.extent = {count},
       .n_par = 1,
       .n_in = 1,
       .streams = {stream(from, kF32, 0, 1), stream(to, kF32, 0, 1)},
       .coords = {coord(1, count, {{0, 1}})},
       .constants = {0},
       .phases = {once(3)},
       .instrs = {load(kF32, 0, 0), instr(KAWARA_OP_max, kF32, 0, 0, constant(0)), store(kF32, 0, 1)}});
  std::vector<float> expected = input;
  for (float& value : expected) value = value > 0 ? value : 0.0f;
  EXPECT_EQ(bits_of(machine.read<float>(to, input.size())), bits_of(expected));
}

TEST_F(Vector, AddBroadcastsARowOverAMatrix) {
  const std::vector<float> matrix = noise(6 * 200, 2), row = noise(200, 3);
  const uint32_t a = machine.local(matrix), b = machine.local(row), to = machine.local(std::vector<float>(matrix.size()));
  run({.extent = {6, 200},
       .n_par = 2,
       .n_in = 2,
       .streams = {stream(a, kF32, 0, 2), stream(b, kF32, 1, 1), stream(to, kF32, 0, 2)},
       .coords = {coord(200, 6, {{0, 1}}), coord(1, 200, {{1, 1}})},
       .phases = {once(4)},
       .instrs = {load(kF32, 0, 0), load(kF32, 1, 1), instr(KAWARA_OP_add, kF32, 0, 0, 1), store(kF32, 0, 2)}});
  std::vector<float> expected;
  for (size_t i = 0; i < matrix.size(); ++i) expected.push_back(matrix[i] + row[i % 200]);
  EXPECT_EQ(machine.read<float>(to, expected.size()), expected);
}

TEST_F(Vector, StridesTranspose) {
  std::vector<int32_t> matrix(3 * 40);
  std::iota(matrix.begin(), matrix.end(), 0);
  const uint32_t from = machine.local(matrix), to = machine.local(std::vector<int32_t>(matrix.size()));
  run({.extent = {40, 3},
       .n_par = 2,
       .n_in = 1,
       .streams = {stream(from, kI32, 0, 2), stream(to, kI32, 2, 2)},
       .coords = {coord(1, 40, {{0, 1}}), coord(40, 3, {{1, 1}}), coord(3, 40, {{0, 1}}), coord(1, 3, {{1, 1}})},
       .phases = {once(2)},
       .instrs = {load(kI32, 0, 0), store(kI32, 0, 1)}});
  std::vector<int32_t> expected;
  for (int32_t row = 0; row < 40; ++row)
    for (int32_t column = 0; column < 3; ++column) expected.push_back(column * 40 + row);
  EXPECT_EQ(machine.read<int32_t>(to, expected.size()), expected);
}

TEST_F(Vector, OutsideTheExtentALoadGivesThePadAndAStoreDoesNothing) {
  const uint32_t from = machine.local<int32_t>({1, 2, 3}), to = machine.local<int32_t>({9, 9, 9, 9, 9, 9});
  run({.extent = {8},
       .n_par = 1,
       .n_in = 1,
       .streams = {stream(from, kI32, 0, 1, 7), stream(to, kI32, 1, 1)},
       .coords = {coord(1, 3, {{0, 1}}, -2), coord(1, 6, {{0, 1}}, -1)},
       .phases = {once(2)},
       .instrs = {load(kI32, 0, 0), store(kI32, 0, 1)}});
  EXPECT_THAT(machine.read<int32_t>(to, 6), ElementsAre(7, 1, 2, 3, 7, 7));
}

TEST_F(Vector, ANegativeCoefficientReverses) {
  const uint32_t from = machine.local<int32_t>({1, 2, 3, 4}), to = machine.local<int32_t>({0, 0, 0, 0, 0, 0});
  run({.extent = {6},
       .n_par = 1,
       .n_in = 1,
       .streams = {stream(from, kI32, 0, 1, 7), stream(to, kI32, 1, 1)},
       .coords = {coord(1, 4, {{0, -1}}, 4), coord(1, 6, {{0, 1}})},
       .phases = {once(2)},
       .instrs = {load(kI32, 0, 0), store(kI32, 0, 1)}});
  EXPECT_THAT(machine.read<int32_t>(to, 6), ElementsAre(7, 4, 3, 2, 1, 7));
}

TEST_F(Vector, CoordinatesDivideTowardsMinusInfinity) {
  const uint32_t from = machine.local<int32_t>({10, 20, 30}), to = machine.local(std::vector<int32_t>(7));
  kawara_coord half = coord(1, 3, {{0, 1}}, -1);
  half.den = 2;
  run({.extent = {7},
       .n_par = 1,
       .n_in = 1,
       .streams = {stream(from, kI32, 0, 1, 5), stream(to, kI32, 1, 1)},
       .coords = {half, coord(1, 7, {{0, 1}})},
       .phases = {once(2)},
       .instrs = {load(kI32, 0, 0), store(kI32, 0, 1)}});
  EXPECT_THAT(machine.read<int32_t>(to, 7), ElementsAre(5, 10, 10, 20, 20, 30, 30));
}

TEST_F(Vector, AnExactCoordinateIsOutsideBetweenMultiples) {
  const uint32_t from = machine.local<int32_t>({10, 20, 30}), to = machine.local(std::vector<int32_t>(7));
  kawara_coord third = coord(1, 3, {{0, 1}});
  third.den = 3;
  third.flags = KAWARA_COORD_EXACT;
  run({.extent = {7},
       .n_par = 1,
       .n_in = 1,
       .streams = {stream(from, kI32, 0, 1, 5), stream(to, kI32, 1, 1)},
       .coords = {third, coord(1, 7, {{0, 1}})},
       .phases = {once(2)},
       .instrs = {load(kI32, 0, 0), store(kI32, 0, 1)}});
  EXPECT_THAT(machine.read<int32_t>(to, 7), ElementsAre(10, 5, 5, 20, 5, 5, 30));
}

TEST_F(Vector, AClampedCoordinateStaysInside) {
  const uint32_t from = machine.local<int32_t>({10, 20, 30}), to = machine.local(std::vector<int32_t>(7));
  kawara_coord edge = coord(1, 3, {{0, 1}}, -2);
  edge.flags = KAWARA_COORD_CLAMP;
  run({.extent = {7},
       .n_par = 1,
       .n_in = 1,
       .streams = {stream(from, kI32, 0, 1, 5), stream(to, kI32, 1, 1)},
       .coords = {edge, coord(1, 7, {{0, 1}})},
       .phases = {once(2)},
       .instrs = {load(kI32, 0, 0), store(kI32, 0, 1)}});
  EXPECT_THAT(machine.read<int32_t>(to, 7), ElementsAre(10, 10, 10, 20, 30, 30, 30));
}

TEST_F(Vector, AnIndexFromARegisterGathersAndGivesThePadOutside) {
  const uint32_t indices = machine.local<int32_t>({2, 0, -1, 3, 1}), table = machine.local<float>({1, 2, 3, 4, 5, 6}),
                 to = machine.local(std::vector<float>(10));
  kawara_coord row = coord(2, 3, {});
  row.flags = KAWARA_COORD_INDEXED;
  row.reg = 4;
  run({.extent = {5, 2},
       .n_par = 2,
       .n_in = 2,
       .streams = {stream(indices, kI32, 0, 1), stream(table, kF32, 1, 2, std::bit_cast<uint32_t>(-1.0f)), stream(to, kF32, 3, 2)},
       .coords = {coord(1, 5, {{0, 1}}), row, coord(1, 2, {{1, 1}}), coord(2, 5, {{0, 1}}), coord(1, 2, {{1, 1}})},
       .phases = {once(3)},
       .instrs = {load(kI32, 4, 0), load(kF32, 0, 1), store(kF32, 0, 2)}});
  EXPECT_THAT(machine.read<float>(to, 10), ElementsAre(5, 6, 1, 2, -1, -1, -1, -1, 3, 4));
}

TEST_F(Vector, AStoreByAnIndexOutsideIsDroppedAndCounted) {
  const uint32_t indices = machine.local<int32_t>({2, -5, 0, 3}), to = machine.local<int32_t>({9, 9, 9});
  kawara_coord at = coord(1, 3, {});
  at.flags = KAWARA_COORD_INDEXED;
  at.reg = 1;
  const emulator::Health health = run({.extent = {4},
                                       .n_par = 1,
                                       .n_in = 1,
                                       .streams = {stream(indices, kI32, 0, 1), stream(to, kI32, 1, 1)},
                                       .coords = {coord(1, 4, {{0, 1}}), at},
                                       .phases = {once(2)},
                                       .instrs = {load(kI32, 1, 0), store(kI32, loop(0), 1)}},
                                      KAWARA_HEADER_LIMIT_NONE | KAWARA_HEADER_HEALTH);
  EXPECT_THAT(machine.read<int32_t>(to, 3), ElementsAre(2, 9, 0));
  EXPECT_EQ(health.dropped, 2u);
}

TEST_F(Vector, HealthIsCountedOnlyWhereAsked) {
  const float infinity = HUGE_VALF;
  const uint32_t from = machine.local<float>({NAN, infinity, -infinity, 1e9f, 300, -1, 7}), reals = machine.local(std::vector<float>(7)),
                 bytes = machine.local(std::vector<uint8_t>(8));
  const hw::Section section{.extent = {7},
                            .n_par = 1,
                            .n_in = 1,
                            .streams = {stream(from, kF32, 0, 1), stream(reals, kF32, 0, 1), stream(bytes, KAWARA_DTYPE_u8, 0, 1)},
                            .coords = {coord(1, 7, {{0, 1}})},
                            .phases = {once(3)},
                            .instrs = {load(kF32, 0, 0), store(kF32, 0, 1), store(kF32, 0, 2)}};
  const emulator::Health counted = run(section, KAWARA_HEADER_LIMIT_NONE | KAWARA_HEADER_HEALTH), ignored = run(section);
  EXPECT_EQ(counted.nan, 2u);
  EXPECT_EQ(counted.inf, 4u);
  EXPECT_EQ(counted.saturated, 6u);
  EXPECT_EQ(ignored.nan + ignored.inf + ignored.saturated + ignored.dropped, 0u);
  EXPECT_THAT(machine.read<uint8_t>(bytes, 7), ElementsAre(0, 255, 0, 255, 255, 0, 7));
}

TEST_F(Vector, AveragePoolPadsItsWindow) {
  constexpr uint32_t kHeight = 5, kWidth = 19;
  const std::vector<float> image = noise(kHeight * kWidth, 5);
  const uint32_t from = machine.local(image), to = machine.local(std::vector<float>(kHeight * kWidth));
  run({.extent = {kHeight, kWidth, 0, 0, 0, 0, 3, 3},
       .n_par = 2,
       .n_red = 2,
       .n_in = 1,
       .streams = {stream(from, kF32, 0, 2), stream(to, kF32, 2, 2)},
       .coords = {coord(kWidth, kHeight, {{0, 1}, {6, 1}}, -1), coord(1, kWidth, {{1, 1}, {7, 1}}, -1), coord(kWidth, kHeight, {{0, 1}}),
                  coord(1, kWidth, {{1, 1}})},
       .constants = {std::bit_cast<uint32_t>(9.0f)},
       .phases = {phase(KAWARA_PHASE_TREE, 3, 0, 0, 2, 4)},
       .instrs = {load(kF32, 0, 0), instr(KAWARA_OP_red_add, kF32, 1, 0), instr(KAWARA_OP_div, kF32, 1, 1, constant(0)),
                  store(kF32, 1, 1)}});
  std::vector<float> expected;
  for (int y = 0; y < int{kHeight}; ++y) {
    for (int x = 0; x < int{kWidth}; ++x) {
      float sum = -0.0f;
      for (int row = y - 1; row <= y + 1; ++row)
        for (int column = x - 1; column <= x + 1; ++column)
          sum += row < 0 || row >= int{kHeight} || column < 0 || column >= int{kWidth} ? 0.0f : image[row * kWidth + column];
      expected.push_back(sum / 9.0f);
    }
  }
  EXPECT_EQ(bits_of(machine.read<float>(to, expected.size())), bits_of(expected));
}

TEST_F(Vector, AnExtentOfZeroDoesNothing) {
  const uint32_t to = machine.local<int32_t>({9});
  run({.extent = {1, 0}, .n_par = 2, .streams = {stream(to, kI32, 0, 0)}, .phases = {once(1)}, .instrs = {store(kI32, loop(0), 0)}});
  EXPECT_EQ(machine.read<int32_t>(to, 1)[0], 9);
}

TEST_F(Vector, AScalarHasNoCoordinates) {
  const uint32_t to = machine.local<int32_t>({9});
  run({.streams = {stream(to, kI32, 0, 0)}, .constants = {42}, .phases = {once(1)}, .instrs = {store(kI32, constant(0), 0)}});
  EXPECT_EQ(machine.read<int32_t>(to, 1)[0], 42);
}

// Running sum, in place: each step sees what the step before it stored.
TEST_F(Vector, AnOrderedPhaseRunsItsStepsInOrder) {
  std::vector<int64_t> values(70);
  std::iota(values.begin(), values.end(), 1);
  const uint32_t data = machine.local(values);
  kawara_coord before = coord(1, 70, {{6, 1}}, -1);
  run({.extent = {0, 0, 0, 0, 0, 0, 70},
       .n_red = 1,
       .n_in = 2,
       .streams = {stream(data, kI64, 0, 1), stream(data, kI64, 1, 1), stream(data, kI64, 1, 1)},
       .coords = {before, coord(1, 70, {{6, 1}})},
       .phases = {phase(KAWARA_PHASE_ORDERED, 1, 0, 0, 4, 4)},
       .instrs = {load(kI64, 0, 0), load(kI64, 1, 1), instr(KAWARA_OP_add, kI64, 2, 0, 1), store(kI64, 2, 2)}});
  for (int64_t i = 0; i < 70; ++i) EXPECT_EQ(machine.read<int64_t>(data, 70)[i], (i + 1) * (i + 2) / 2);
}

TEST_F(Vector, ALimitClampsItsDimensionWhenTheCommandStarts) {
  for (const auto& [limit, expected] : std::initializer_list<std::pair<int32_t, std::vector<int32_t>>>{
           {2, {0, 1, 9, 9}}, {-1, {9, 9, 9, 9}}, {0, {9, 9, 9, 9}}, {7, {0, 1, 2, 3}}}) {
    const uint32_t to = machine.local<int32_t>({9, 9, 9, 9}), word = machine.local<int32_t>({limit});
    auto command = hw::blank<kawara_vector>();
    command.header.flags = 0;
    command.header.limit = hw::operand(word, 0);
    const hw::Section section{.extent = {4},
                              .n_par = 1,
                              .streams = {stream(to, kI32, 0, 1)},
                              .coords = {coord(1, 4, {{0, 1}})},
                              .phases = {once(1)},
                              .instrs = {store(kI32, loop(0), 0)}};
    machine.run(command, &section);
    EXPECT_THAT(machine.read<int32_t>(to, 4), ElementsAreArray(expected)) << limit;
  }
}

}  // namespace
}  // namespace kawara::test
