// SPDX-License-Identifier: Apache-2.0
// The published sequences on Vulkan: the reference's bits, wherever no subnormal is involved.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "emulator/reference/machine.h"
#include "emulator/vulkan/twins.h"
#include "kawara/hw/sequences.h"

namespace kawara::test {
namespace {

class VulkanSequence : public testing::TestWithParam<SequenceBound> {};

TEST_P(VulkanSequence, GivesTheReferencesBits) {
  // A quarter of a million arguments over all bit patterns, specials and every exponent among them.
  constexpr uint32_t kStep = 16384, kCount = 1u << 18;
  std::vector<uint32_t> arguments(kCount);
  for (uint32_t i = 0; i < kCount; ++i) arguments[i] = i * kStep + (i % 512 == 0 ? 0 : i * 7919 % kStep);
  Twins twins;
  const uint32_t from = twins.local(arguments), to = twins.local(std::vector<float>(kCount));
  const hw::Section section{.extent = {kCount},
                            .n_par = 1,
                            .n_in = 1,
                            .streams = {stream(from, kF32, 0, 1), stream(to, kF32, 0, 1)},
                            .coords = {coord(1, kCount, {{0, 1}})},
                            .phases = {once(3)},
                            .instrs = {load(kF32, 0, 0), instr(static_cast<uint8_t>(GetParam().sequence), kF32, 0, 0), store(kF32, 0, 1)}};
  twins.run(hw::blank<kawara_vector>(), &section);
  const auto got = twins.vulkan<uint32_t>(to), want = twins.reference<uint32_t>(to);
  const auto subnormal = [](uint32_t bits) { return std::fpclassify(std::bit_cast<float>(bits)) == FP_SUBNORMAL; };
  for (uint32_t i = 0; i < kCount; ++i) {
    if (subnormal(arguments[i]) || subnormal(want[i])) continue;
    ASSERT_EQ(got[i], want[i]) << std::bit_cast<float>(arguments[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Every, VulkanSequence, testing::ValuesIn(kSequenceBounds), [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace kawara::test
