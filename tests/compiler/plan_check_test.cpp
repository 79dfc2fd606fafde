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
    plan.arena_bytes = 1024;
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
  example.plan.sram_bytes = 512;
  EXPECT_EQ(example.refusal(), "");
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
  example.plan.sram_bytes = 512;
  example.model.commands[0].switch_point = true;
  EXPECT_EQ(example.refusal(), "");
  example.model.commands[1].switch_point = true;
  EXPECT_EQ(example.refusal(), "buffer 1 lies in SRAM across the switch point at command 1");
}

}  // namespace
}  // namespace kawara::compiler
