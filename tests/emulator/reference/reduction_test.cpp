// SPDX-License-Identifier: Apache-2.0
// The order of reductions, against oracles written from the manual's words alone.
#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include "emulator/reference/machine.h"
#include "emulator/reference/microcode.h"
#include "emulator/reference/reference.h"

namespace kawara::test {
namespace {

// Up to 64 steps in order; more: step s goes to partial s mod 32, and the partials are combined by halving.
template <typename T, typename Combine>
T reduce_as_published(const std::vector<T>& steps, T identity, Combine combine) {
  if (steps.size() <= 64) {
    T result = identity;
    for (const T& step : steps) result = combine(result, step);
    return result;
  }
  T partial[32];
  std::fill(std::begin(partial), std::end(partial), identity);
  for (size_t s = 0; s < steps.size(); ++s) partial[s % 32] = combine(partial[s % 32], steps[s]);
  for (int half : {16, 8, 4, 2, 1})
    for (int i = 0; i < half; ++i) partial[i] = combine(partial[i], partial[i + half]);
  return partial[0];
}

// One output per row of `columns` values of T.
hw::Section row_reduction(uint32_t from, uint32_t to, uint8_t type, uint32_t rows, uint32_t columns, uint8_t op) {
  return {.extent = {rows, 0, 0, 0, 0, 0, columns},
          .n_par = 1,
          .n_red = 1,
          .n_in = 1,
          .streams = {stream(from, type, 0, 2), stream(to, type, 2, 1)},
          .coords = {coord(columns, rows, {{0, 1}}), coord(1, columns, {{6, 1}}), coord(1, rows, {{0, 1}})},
          .phases = {phase(KAWARA_PHASE_TREE, 1, 0, 0, 2, 3)},
          .instrs = {load(type, 0, 0), instr(op, type, 1, 0), store(type, 1, 1)}};
}

class RowSum : public ::testing::TestWithParam<uint32_t> {};

TEST_P(RowSum, HasTheBitsOfThePublishedOrder) {
  Machine machine(emulator::reference_executor());
  constexpr uint32_t kRows = 150;  // more than one block of points
  const uint32_t columns = GetParam();
  const std::vector<float> values = noise(size_t{kRows} * columns, columns);
  const uint32_t from = machine.local(values), to = machine.local(std::vector<float>(kRows));
  const hw::Section section = row_reduction(from, to, kF32, kRows, columns, KAWARA_OP_red_add);
  machine.run(hw::blank<kawara_vector>(), &section);
  std::vector<float> expected;
  for (uint32_t row = 0; row < kRows; ++row) {
    const std::vector<float> steps(values.begin() + row * columns, values.begin() + (row + 1) * columns);
    expected.push_back(reduce_as_published(steps, -0.0f, std::plus<float>()));
  }
  EXPECT_EQ(bits_of(machine.read<float>(to, kRows)), bits_of(expected));
}
INSTANTIATE_TEST_SUITE_P(Steps, RowSum, ::testing::Values(1, 2, 63, 64, 65, 96, 1000));

template <typename T>
T reduced(uint8_t op, uint8_t type, const std::vector<T>& values) {
  Machine machine(emulator::reference_executor());
  const uint32_t from = machine.local(values), to = machine.local(std::vector<T>(1));
  const hw::Section section = row_reduction(from, to, type, 1, static_cast<uint32_t>(values.size()), op);
  machine.run(hw::blank<kawara_vector>(), &section);
  return machine.read<T>(to, 1)[0];
}

TEST(Reductions, StartFromTheirIdentity) {
  EXPECT_TRUE(std::signbit(reduced<float>(KAWARA_OP_red_add, kF32, {-0.0f})));
  EXPECT_EQ(reduced<float>(KAWARA_OP_red_mul, kF32, {3}), 3);
  EXPECT_EQ(reduced<float>(KAWARA_OP_red_min, kF32, {HUGE_VALF}), HUGE_VALF);
  EXPECT_EQ(reduced<float>(KAWARA_OP_red_max, kF32, {-HUGE_VALF}), -HUGE_VALF);
  EXPECT_EQ(reduced<int32_t>(KAWARA_OP_red_add, kI32, {7}), 7);
  EXPECT_EQ(reduced<int32_t>(KAWARA_OP_red_mul, kI32, {-7}), -7);
  EXPECT_EQ(reduced<int32_t>(KAWARA_OP_red_min, kI32, {INT32_MAX}), INT32_MAX);
  EXPECT_EQ(reduced<int32_t>(KAWARA_OP_red_max, kI32, {INT32_MIN}), INT32_MIN);
  EXPECT_EQ(reduced<uint32_t>(KAWARA_OP_red_min, kU32, {UINT32_MAX}), UINT32_MAX);
  EXPECT_EQ(reduced<uint32_t>(KAWARA_OP_red_max, kU32, {0}), 0u);
  EXPECT_EQ(reduced<int64_t>(KAWARA_OP_red_min, kI64, {INT64_MAX}), INT64_MAX);
  EXPECT_EQ(reduced<int64_t>(KAWARA_OP_red_max, kI64, {INT64_MIN}), INT64_MIN);
  EXPECT_EQ(reduced<uint32_t>(KAWARA_OP_red_and, kU32, {0xf0f0}), 0xf0f0u);
  EXPECT_EQ(reduced<uint32_t>(KAWARA_OP_red_or, kU32, {0x0ff0}), 0x0ff0u);
}

TEST(Reductions, CombineEveryStep) {
  for (const size_t steps : {5u, 64u, 65u, 300u}) {
    std::vector<int64_t> wide(steps);
    std::vector<uint32_t> words(steps);
    for (size_t i = 0; i < steps; ++i) wide[i] = static_cast<int64_t>(i * i) - (int64_t{1} << 40), words[i] = 1u << (i % 31);
    EXPECT_EQ(reduced(KAWARA_OP_red_add, kI64, wide), reduce_as_published(wide, int64_t{0}, std::plus<int64_t>()));
    EXPECT_EQ(reduced(KAWARA_OP_red_min, kI64, wide), wide.front());
    EXPECT_EQ(reduced(KAWARA_OP_red_max, kI64, wide), wide.back());
    EXPECT_EQ(reduced(KAWARA_OP_red_or, kU32, words), reduce_as_published(words, 0u, std::bit_or<uint32_t>()));
    EXPECT_EQ(reduced(KAWARA_OP_red_and, kU32, words), 0u);
    std::vector<float> reals = noise(steps, 9);
    EXPECT_EQ(reduced(KAWARA_OP_red_max, kF32, reals), *std::max_element(reals.begin(), reals.end()));
    reals[steps / 2] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(reduced(KAWARA_OP_red_max, kF32, reals)));
    EXPECT_TRUE(std::isnan(reduced(KAWARA_OP_red_min, kF32, reals)));
  }
}

float exp_as_published(float x) {
  emulator::reference::Lanes argument, result;
  argument.low[0] = std::bit_cast<uint32_t>(x);
  emulator::reference::evaluate(KAWARA_OP_exp, kF32, 0, result, argument, argument, argument, 1);
  return std::bit_cast<float>(result.low[0]);
}

// max, then the sum of exp(x - max), then the quotients: three phases, of which the last stores at every step.
TEST(Reductions, SoftmaxIsThreeTreePhases) {
  for (const uint32_t columns : {7u, 64u, 197u}) {
    Machine machine(emulator::reference_executor());
    constexpr uint32_t kRows = 9;
    const std::vector<float> values = noise(kRows * columns, 11);
    const uint32_t from = machine.local(values), to = machine.local(std::vector<float>(values.size()));
    const hw::Section section{.extent = {kRows, 0, 0, 0, 0, 0, columns},
                              .n_par = 1,
                              .n_red = 1,
                              .n_in = 1,
                              .streams = {stream(from, kF32, 0, 2), stream(to, kF32, 0, 2)},
                              .coords = {coord(columns, kRows, {{0, 1}}), coord(1, columns, {{6, 1}})},
                              .phases = {phase(KAWARA_PHASE_TREE, 1, 0, 0, 2, 2), phase(KAWARA_PHASE_TREE, 1, 2, 2, 6, 6),
                                         phase(KAWARA_PHASE_TREE, 1, 6, 6, 11, 11)},
                              .instrs = {load(kF32, 0, 0), instr(KAWARA_OP_red_max, kF32, 1, 0), load(kF32, 0, 0),
                                         instr(KAWARA_OP_sub, kF32, 0, 0, 1), instr(KAWARA_OP_exp, kF32, 0, 0),
                                         instr(KAWARA_OP_red_add, kF32, 2, 0), load(kF32, 0, 0), instr(KAWARA_OP_sub, kF32, 0, 0, 1),
                                         instr(KAWARA_OP_exp, kF32, 0, 0), instr(KAWARA_OP_div, kF32, 0, 0, 2), store(kF32, 0, 1)}};
    machine.run(hw::blank<kawara_vector>(), &section);
    std::vector<float> expected;
    for (uint32_t row = 0; row < kRows; ++row) {
      std::vector<float> steps(values.begin() + row * columns, values.begin() + (row + 1) * columns);
      const float most = *std::max_element(steps.begin(), steps.end());
      for (float& step : steps) step = exp_as_published(step - most);
      const float sum = reduce_as_published(steps, -0.0f, std::plus<float>());
      for (const float step : steps) expected.push_back(step / sum);
    }
    EXPECT_EQ(bits_of(machine.read<float>(to, expected.size())), bits_of(expected)) << columns;
  }
}

// Two reduced dimensions, of which each phase sweeps one; the other stays at 0.
TEST(Reductions, APhaseSweepsOnlyItsDimensions) {
  Machine machine(emulator::reference_executor());
  const uint32_t from = machine.local<int32_t>({1, 2, 3, 10, 20, 30}), to = machine.local(std::vector<int32_t>(3));
  const auto sweep = [](uint8_t dims, uint16_t at, uint16_t end) {
    return phase(KAWARA_PHASE_TREE, dims, at, at, static_cast<uint16_t>(at + 2), end);
  };
  const hw::Section section{.extent = {0, 0, 0, 0, 0, 0, 2, 3},
                            .n_red = 2,
                            .n_in = 1,
                            .streams = {stream(from, kI32, 0, 2), stream(to, kI32, 2, 1)},
                            .coords = {coord(3, 2, {{6, 1}}), coord(1, 3, {{7, 1}}), coord(1, 3, {})},
                            .phases = {sweep(1, 0, 2), sweep(2, 2, 4), sweep(3, 4, 9)},
                            .instrs = {load(kI32, 0, 0), instr(KAWARA_OP_red_add, kI32, 1, 0), load(kI32, 0, 0),
                                       instr(KAWARA_OP_red_add, kI32, 2, 0), load(kI32, 0, 0), instr(KAWARA_OP_red_add, kI32, 3, 0),
                                       instr(KAWARA_OP_mul, kI32, 1, 1, 2), instr(KAWARA_OP_mul, kI32, 1, 1, 3), store(kI32, 1, 1)}};
  machine.run(hw::blank<kawara_vector>(), &section);
  EXPECT_EQ(machine.read<int32_t>(to, 1)[0], (1 + 10) * (1 + 2 + 3) * 66);
}

}  // namespace
}  // namespace kawara::test
