// SPDX-License-Identifier: Apache-2.0
#include "kawara/hw/sequences.h"

#include <bit>
#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "emulator/reference/sequence_error.h"

namespace kawara {
namespace {

float value_at(uint8_t op, float x) {
  emulator::reference::Lanes argument, result;
  argument.low[0] = std::bit_cast<uint32_t>(x);
  emulator::reference::evaluate(op, KAWARA_DTYPE_f32, 0, result, argument, argument, argument, 1);
  return std::bit_cast<float>(result.low[0]);
}

// A million arguments spread over all bit patterns by an odd stride; kawara_ulp takes them all.
TEST(Sequences, StayWithinTheirPublishedBounds) {
  for (const SequenceBound& bound : kSequenceBounds) {
    test::SequenceError worst;
    for (uint64_t bits = 0; bits < 1ull << 32; bits += 4099ull * emulator::reference::kLanes)
      worst.measure(bound, static_cast<uint32_t>(bits), 4099);
    EXPECT_LE(worst.ulp * 1000, bound.ulp_times_1000) << bound.name << " at " << worst.at;
    EXPECT_LE(worst.subnormal_steps, 1.0) << bound.name << " at " << worst.subnormal_at;
  }
}

TEST(Sequences, GiveTheCanonicalNaNForEveryNaN) {
  for (const SequenceBound& bound : kSequenceBounds)
    for (const uint32_t nan : {0x7fc00000u, 0xffc00000u, 0x7f800001u, 0xffffffffu})
      EXPECT_EQ(std::bit_cast<uint32_t>(value_at(bound.sequence, std::bit_cast<float>(nan))), 0x7fc00000u) << bound.name;
}

TEST(Sequences, AreRightAtTheSpecialValues) {
  for (const SequenceBound& bound : kSequenceBounds) {
    const float infinity = std::numeric_limits<float>::infinity();
    for (const float x : {0.0f, -0.0f, 1.0f, infinity, -infinity}) {
      const float right = static_cast<float>(test::exact(bound.sequence, x)), got = value_at(bound.sequence, x);
      const bool same_bits = std::bit_cast<uint32_t>(got) == std::bit_cast<uint32_t>(right);
      if (std::isnan(right)) {
        EXPECT_TRUE(std::isnan(got)) << bound.name << "(" << x << ") = " << got;
      } else if (x == 0 || std::isinf(x)) {
        EXPECT_TRUE(same_bits) << bound.name << "(" << x << ") = " << got << ", not " << right;
      } else {
        EXPECT_NEAR(got, right, std::fabs(right) * 0x1p-22) << bound.name << "(" << x << ")";
      }
    }
  }
}

TEST(Sequences, OverflowToInfinityAndUnderflowToZero) {
  EXPECT_EQ(value_at(KAWARA_OP_exp, 0x1.62e43p+6f), std::numeric_limits<float>::infinity());  // the first beyond the greatest f32
  EXPECT_LT(value_at(KAWARA_OP_exp, 0x1.62e42ep+6f), std::numeric_limits<float>::infinity());
  EXPECT_EQ(value_at(KAWARA_OP_exp, -104.0f), 0.0f);
  EXPECT_EQ(value_at(KAWARA_OP_exp, -std::numeric_limits<float>::max()), 0.0f);
}

TEST(Sequences, ReadNoTemporaryBeforeItIsWritten) {
  for (const SequenceBound& bound : kSequenceBounds) {
    std::set<uint32_t> written;
    for (const SequenceStep& step : steps_of(bound.sequence)) {
      for (const StepSource& source : {step.a, step.b, step.c})
        EXPECT_TRUE(source.kind != StepSource::Kind::temporary || written.contains(source.value)) << bound.name;
      EXPECT_LT(step.dst, kSequenceTemporaries) << bound.name;
      written.insert(step.dst);
    }
  }
}

}  // namespace
}  // namespace kawara
