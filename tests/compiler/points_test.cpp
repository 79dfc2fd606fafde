// SPDX-License-Identifier: Apache-2.0
#include "points.h"

#include <gmock/gmock.h>

namespace kawara::compiler {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(Points, EqualInstructionsAndConstantsAreSharedAndUnusedOnesDropped) {
  Points points;
  const Register x = points.load(0, DType::f32);
  const Register once = points.mul(x, points.constant(2.0f)), again = points.mul(x, points.constant(2.0f));
  EXPECT_EQ(once.id, again.id);
  points.add(x, points.constant(7.0f));  // nobody uses it
  points.store(0, points.add(once, again));
  const Microcode code = points.finish(1).value();
  EXPECT_THAT(code.instructions, SizeIs(4));  // load, mul, add, store
  EXPECT_THAT(code.constants, SizeIs(1));
  EXPECT_EQ(code.instructions[3].imm, 1);  // outputs are numbered behind the one input
}

TEST(Points, A64BitConstantTakesTwoWordsAtAnEvenIndex) {
  Points points;
  const Register narrow = points.constant(DType::i32, 5);
  const Register wide = points.constant(DType::i64, (int64_t{3} << 32) | 4);
  const Register sum = points.add(points.convert(DType::i64, points.add(narrow, points.load(0, DType::i32))), wide);
  points.store(0, sum);
  const Microcode code = points.finish(1).value();
  EXPECT_THAT(code.constants, testing::ElementsAre(4u, 3u, 5u));
}

TEST(Points, RegistersAreReusedAfterTheLastUse) {
  Points points;
  Register value = points.load(0, DType::f32);
  for (int i = 0; i < 60; ++i) value = points.add(value, points.load(0, DType::f32));
  points.store(0, value);
  const Microcode code = points.finish(1).value();
  for (const kawara_instr& instr : code.instructions) EXPECT_LT(instr.dst, 2);
}

// 33 values that are all used after the last of them was made.
TEST(Points, MoreThan32ValuesAtOnceAreRefused) {
  for (const int count : {32, 33}) {
    Points points;
    std::vector<Register> values;
    for (int i = 0; i < count; ++i) values.push_back(points.load(static_cast<unsigned>(i), DType::f32));
    Register sum = values.back();
    for (int i = 0; i + 1 < count; ++i) sum = points.add(sum, values[static_cast<size_t>(i)]);
    points.store(0, sum);
    const auto code = points.finish(static_cast<unsigned>(count));
    EXPECT_EQ(code.has_value(), count == 32);
    if (!code) {
      EXPECT_THAT(code.error(), HasSubstr("at most 32 values"));
    }
  }
}

TEST(Points, MoreThan64ConstantWordsAreRefused) {
  for (const int count : {64, 65}) {
    Points points;
    Register sum = points.load(0, DType::f32);
    for (int i = 0; i < count; ++i) sum = points.add(sum, points.constant(static_cast<float>(i)));
    points.store(0, sum);
    EXPECT_EQ(points.finish(1).has_value(), count == 64);
  }
}

TEST(Points, MoreThan256InstructionsAreRefused) {
  for (const int count : {254, 255}) {
    Points points;
    Register sum = points.load(0, DType::f32);
    for (int i = 0; i < count; ++i) sum = points.add(sum, sum);
    points.store(0, sum);
    EXPECT_EQ(points.finish(1).has_value(), count == 254);
  }
}

// The step runs again and again: what it reads from outside must not lose its register to what it computes.
TEST(Points, AStepKeepsWhatComesFromBeforeIt) {
  Points points;
  points.phase();
  const Register outside = points.load(0, DType::f32);
  points.step();
  const Register inside = points.mul(points.load(1, DType::f32), outside);
  const Register sum = points.reduce(KAWARA_OP_red_add, points.mul(inside, inside));
  points.after();
  points.store(0, sum);
  const Microcode code = points.finish(2).value();
  ASSERT_THAT(code.phases, SizeIs(1));
  const uint8_t kept = code.instructions[0].dst;
  for (size_t i = code.phases[0].step; i < code.phases[0].after; ++i) EXPECT_NE(code.instructions[i].dst, kept);
}

TEST(Points, ALoadInAStepIsNotTheLoadBeforeIt) {
  Points points;
  points.phase();
  const Register before = points.load(0, DType::f32);
  points.step();
  EXPECT_NE(points.load(0, DType::f32).id, before.id);
}

TEST(Points, AReductionHoldsItsRegisterFromThePhasesStart) {
  Points points;
  points.phase();
  const Register first = points.mul(points.load(0, DType::f32), points.constant(3.0f));
  points.step();
  const Register sum = points.reduce(KAWARA_OP_red_add, points.load(1, DType::f32));
  points.after();
  points.store(0, points.add(first, sum));
  const Microcode code = points.finish(2).value();
  uint8_t reduced = 0;
  for (const kawara_instr& instr : code.instructions)
    if (instr.op == KAWARA_OP_red_add) reduced = instr.dst;
  for (const kawara_instr& instr : code.instructions) {
    const bool behind = instr.op == KAWARA_OP_red_add || instr.op == KAWARA_OP_store || instr.op == KAWARA_OP_add;
    EXPECT_TRUE(behind || instr.dst != reduced);
  }
}

}  // namespace
}  // namespace kawara::compiler
