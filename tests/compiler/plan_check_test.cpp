// SPDX-License-Identifier: Apache-2.0
#include "plan_check.h"

#include <gmock/gmock.h>

#include "kawara/error.h"

namespace kawara::compiler {
namespace {

// Three buffers of 512 bytes: the first two meet at command 1, the last two at command 2.
struct Example {
  Commands model;
  Allocation plan;

  Example() {
    model.commands.resize(4);
    for (uint32_t i = 0; i < 3; ++i) {
      model.buffers.push_back({.role = Buffer::Role::arena, .index = 0, .size_bytes = 512, .constant = {}});
      for (const uint32_t at : {i, i + 1}) model.commands[at].accesses.push_back({.buffer = i, .begin = 0, .end = 512, .write = at == i});
    }
    plan.offsets = {0, 512, 0};
    plan.in_sram = {false, false, false};
    plan.arena_bytes = plan.arena_bound_bytes = 1024;
  }

  std::string refusal(uint64_t sram_bytes = 1024) const {
    try {
      check_plan(model, plan, sram_bytes);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::internal);
      return error.what();
    }
    return "";
  }
};

TEST(PlanCheck, ASoundPlanPasses) { EXPECT_EQ(Example().refusal(), ""); }

TEST(PlanCheck, BuffersThatLiveTogetherShareNoByte) {
  for (const uint64_t offset : {uint64_t{0}, uint64_t{256}}) {
    Example example;
    example.plan.offsets[1] = offset;
    EXPECT_EQ(example.refusal(), "buffers 0 and 1 lie in the same bytes of the arena at the same time");
  }
}

TEST(PlanCheck, ArenaAndSramAreTwoPlaces) {
  Example example;
  example.plan.offsets[1] = 0;
  example.plan.in_sram[1] = true;
  example.plan.sram_bytes = example.plan.sram_bound_bytes = 512;
  example.plan.arena_bound_bytes = 512;
  EXPECT_EQ(example.refusal(), "");
}

TEST(PlanCheck, TheBoundIsWhatIsAliveAtMost) {
  Example low;
  low.plan.arena_bound_bytes = 768;
  EXPECT_EQ(low.refusal(), "the plan says that 768 bytes of the arena are alive at most, and 1024 are");
  Example high;
  high.plan.sram_bound_bytes = 256;
  EXPECT_EQ(high.refusal(), "the plan says that 256 bytes of the SRAM are alive at most, and 0 are");
}

TEST(PlanCheck, WeightsShareBytesOnlyIfTheyAreTheSame) {
  Example example;
  for (const float value : {1.0f, 1.0f, 2.0f}) {
    const std::vector<float> values(128, value);
    example.model.commands[0].accesses.push_back(
        {.buffer = static_cast<uint32_t>(example.model.buffers.size()), .begin = 0, .end = 512, .write = false});
    example.model.buffers.push_back({.role = Buffer::Role::weights,
                                     .index = 0,
                                     .size_bytes = 512,
                                     .constant = Tensor::copy_of(DType::f32, {128}, std::as_bytes(std::span(values)))});
    example.plan.in_sram.push_back(false);
  }
  example.plan.weights_bytes = 1024;
  const auto refusal = [&](uint64_t third) {
    example.plan.offsets = {0, 512, 0, 0, 0, third};
    return example.refusal();
  };
  EXPECT_EQ(refusal(512), "");
  EXPECT_EQ(refusal(0), "buffers 3 and 5 are different weights at the same place");
  EXPECT_EQ(refusal(256), "buffers 3 and 5 lie in the same bytes of the weights");
  EXPECT_EQ(refusal(768), "buffer 5 of 512 bytes at 768 leaves its region of 1024");
}

TEST(PlanCheck, EveryBufferLiesInItsRegionAndAligned) {
  Example far;
  far.plan.offsets[1] = 768;
  EXPECT_EQ(far.refusal(), "buffer 1 of 512 bytes at 768 leaves its region of 1024");
  Example odd;
  odd.plan.offsets[1] = 520;
  EXPECT_EQ(odd.refusal(), "buffer 1 lies at 520, no multiple of 256");
}

TEST(PlanCheck, TheScratchpadHoldsThePlan) {
  Example example;
  example.plan.sram_bytes = 1280;
  EXPECT_EQ(example.refusal(), "the plan takes 1280 bytes of SRAM, and the chip has 1024");
}

TEST(PlanCheck, NothingInSramOutlivesItsSegment) {
  Example example;
  example.plan.in_sram[1] = true;
  example.plan.offsets[1] = 0;
  example.plan.sram_bytes = example.plan.sram_bound_bytes = 512;
  example.plan.arena_bound_bytes = 512;
  example.model.commands[0].switch_point = true;
  EXPECT_EQ(example.refusal(), "");
  example.model.commands[1].switch_point = true;
  EXPECT_EQ(example.refusal(), "buffer 1 lies in SRAM across the switch point at command 1");
}

}  // namespace
}  // namespace kawara::compiler
