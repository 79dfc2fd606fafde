// SPDX-License-Identifier: Apache-2.0
#include "allocate.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "plan_check.h"

namespace kawara::compiler {
namespace {

// Commands that touch a run of buffers: buffer i lives from command first[i] to last[i].
struct Model {
  Commands commands;

  uint32_t arena(uint64_t size_bytes, uint32_t first, uint32_t last) {
    commands.buffers.push_back({.role = Buffer::Role::arena, .index = 0, .size_bytes = size_bytes, .constant = {}});
    const auto buffer = static_cast<uint32_t>(commands.buffers.size() - 1);
    if (commands.commands.size() <= last) commands.commands.resize(last + 1);
    for (const uint32_t at : {first, last})
      commands.commands[at].accesses.push_back(
          {.buffer = buffer, .begin = 0, .end = static_cast<int64_t>(size_bytes), .write = at == first});
    return buffer;
  }
};

// By comparing all pairs: buffers alive at one command share no byte, and each lies inside the arena.
void expect_sound(const Commands& model, const Allocation& allocation) {
  // Touched at or before the command, and at or behind it.
  const auto alive = [&](size_t buffer, size_t command) {
    bool before = false, behind = false;
    for (size_t i = 0; i < model.commands.size(); ++i) {
      const bool touched = std::ranges::any_of(model.commands[i].accesses, [&](const Access& access) { return access.buffer == buffer; });
      before |= touched && i <= command;
      behind |= touched && i >= command;
    }
    return before && behind;
  };
  for (size_t a = 0; a < model.buffers.size(); ++a) {
    const uint64_t end = allocation.offsets[a] + model.buffers[a].size_bytes;
    EXPECT_LE(end, allocation.arena_bytes);
    EXPECT_EQ(allocation.offsets[a] % 256, 0u);
    for (size_t b = 0; b < a; ++b)
      for (size_t command = 0; command < model.commands.size(); ++command) {
        const bool apart = end <= allocation.offsets[b] || allocation.offsets[b] + model.buffers[b].size_bytes <= allocation.offsets[a];
        EXPECT_TRUE(apart || !alive(a, command) || !alive(b, command)) << "buffers " << a << " and " << b << " at command " << command;
      }
  }
}

TEST(Allocate, BuffersShareBytesOnlyWhenNeverAliveTogether) {
  Model model;
  uint32_t state = 1;
  const auto random = [&](uint32_t below) {
    state = state * 1664525u + 1013904223u;
    return (state >> 16) % below;
  };
  for (int i = 0; i < 60; ++i) {
    const uint32_t first = random(30);
    model.arena(1 + random(5000), first, first + 1 + random(8));
  }
  const Allocation allocation = allocate(model.commands);
  expect_sound(model.commands, allocation);
  EXPECT_GE(allocation.arena_bytes, allocation.arena_bound_bytes);
  EXPECT_LE(allocation.arena_bytes, allocation.arena_bound_bytes * 5 / 4);
}

// Never more than 6 times 256 bytes are alive, and there is no way to lie in them.
TEST(Allocate, SaysWhyAPlanTakesMoreThanTheBound) {
  Model model;
  for (const auto& [size, first, last] :
       {std::tuple{1u, 2u, 3u}, {3u, 4u, 6u}, {3u, 0u, 0u}, {3u, 5u, 6u}, {1u, 3u, 4u}, {3u, 0u, 2u}, {2u, 2u, 4u}})
    model.arena(size * 256, first, last);
  const auto said = [&](const PackingEffort& effort) {
    const Allocation allocation = allocate(model.commands, 0, {}, {}, effort);
    check_plan(model.commands, allocation, 0);
    return describe(allocation.arena_minimum, allocation.arena_bytes, allocation.arena_bound_bytes);
  };
  EXPECT_THAT(said(kThorough), testing::MatchesRegex("none smaller: search exhausted after [0-9]+ steps"));
  EXPECT_THAT(said({}), "stopped after 0 steps; lower bound 1536");
}

TEST(Allocate, WhatRunsAtOnceKeepsItsBytesApart) {
  Model model;
  for (uint32_t i = 0; i < 4; ++i) model.arena(256, i, i + 1);
  const std::vector<uint32_t> held = {2, 3, 4, 4, 4};
  const Allocation allocation = allocate(model.commands, 0, {}, held);
  EXPECT_GT(allocation.arena_bytes, allocation.arena_bound_bytes);
  EXPECT_EQ(allocation.arena_minimum.least_bytes, allocation.arena_bytes);
  EXPECT_EQ(describe(allocation.arena_minimum, allocation.arena_bytes, allocation.arena_bound_bytes),
            "none smaller: so much is alive at one command or kept for those that run at once");
}

TEST(Allocate, AChainNeedsTwoOfItsBuffers) {
  Model model;
  for (uint32_t i = 0; i < 6; ++i) model.arena(1024, i, i + 1);
  const Allocation allocation = allocate(model.commands);
  EXPECT_EQ(allocation.arena_bytes, 2048u);
  EXPECT_EQ(allocation.arena_bound_bytes, 2048u);
}

TEST(Allocate, AValueReadMuchLaterKeepsItsBytes) {
  Model model;
  const uint32_t kept = model.arena(1024, 0, 5);
  for (uint32_t i = 0; i < 5; ++i) model.arena(512, i, i + 1);
  const Allocation allocation = allocate(model.commands);
  expect_sound(model.commands, allocation);
  EXPECT_EQ(allocation.arena_bytes, 2048u);
  EXPECT_EQ(allocation.offsets[kept] % 1024, 0u);
}

TEST(Allocate, WhatFitsGoesToSram) {
  Model model;
  for (uint32_t i = 0; i < 6; ++i) model.arena(1024, i, i + 1);
  const std::vector<uint64_t> traffic(6, 2048);
  const Allocation allocation = allocate(model.commands, 2048, traffic);
  check_plan(model.commands, allocation, 2048);
  EXPECT_EQ(allocation.sram_bytes, 2048u);
  EXPECT_EQ(allocation.arena_bytes, 0u);
  EXPECT_EQ(allocation.traffic_kept_bytes, 6 * 2048u);
}

TEST(Allocate, SramGoesToWhatMovesMostForItsSize) {
  Model model;
  const uint32_t large = model.arena(4096, 0, 3), busy = model.arena(1024, 1, 2), idle = model.arena(1024, 1, 2);
  const std::vector<uint64_t> traffic = {8192, 8192, 0};
  const Allocation allocation = allocate(model.commands, 4096, traffic);
  EXPECT_FALSE(allocation.in_sram[large]);
  EXPECT_TRUE(allocation.in_sram[busy]);
  EXPECT_FALSE(allocation.in_sram[idle]);  // it would gain nothing
  EXPECT_EQ(allocation.traffic_kept_bytes, 8192u);
}

TEST(Allocate, WhatOutlivesItsSegmentStaysInTheArena) {
  Model model;
  for (uint32_t i = 0; i < 4; ++i) model.arena(1024, i, i + 1);
  model.commands.commands[2].switch_point = true;
  const Allocation allocation = allocate(model.commands, 1 << 20, std::vector<uint64_t>(4, 1));
  check_plan(model.commands, allocation, 1 << 20);
  EXPECT_THAT(allocation.in_sram, testing::ElementsAre(true, true, false, true));
}

TEST(Allocate, PlansOfAllSizesOfSramAreSound) {
  Model model;
  uint32_t state = 2;
  const auto random = [&](uint32_t below) {
    state = state * 1664525u + 1013904223u;
    return (state >> 16) % below;
  };
  std::vector<uint64_t> traffic;
  for (int i = 0; i < 80; ++i) {
    const uint32_t first = random(40);
    model.arena(1 + random(5000), first, first + 1 + random(8));
    traffic.push_back(random(20000));
  }
  for (const uint32_t at : {11u, 23u, 24u}) model.commands.commands[at].switch_point = true;
  uint64_t kept = 0;
  for (const uint64_t sram_bytes : {0u, 256u, 2048u, 8192u, 16384u, 1u << 20}) {
    const Allocation allocation = allocate(model.commands, sram_bytes, traffic);
    check_plan(model.commands, allocation, sram_bytes);
    EXPECT_LE(allocation.sram_bound_bytes, allocation.sram_bytes);
    EXPECT_LE(allocation.arena_bound_bytes, allocation.arena_bytes);
    EXPECT_GE(allocation.traffic_kept_bytes, kept);  // more room keeps more
    kept = allocation.traffic_kept_bytes;
  }
  EXPECT_GT(kept, 0u);
}

TEST(Allocate, EqualConstantsAreStoredOnce) {
  Model model;
  const float a[] = {1, 2}, b[] = {1, 3};
  model.commands.commands.resize(1);
  for (const auto* values : {&a, &b, &a}) {
    Tensor tensor = Tensor::copy_of(DType::f32, {2}, std::as_bytes(std::span(*values)));
    model.commands.buffers.push_back({.role = Buffer::Role::weights, .index = 0, .size_bytes = 8, .constant = std::move(tensor)});
    model.commands.commands[0].accesses.push_back(
        {.buffer = static_cast<uint32_t>(model.commands.buffers.size() - 1), .begin = 0, .end = 8, .write = false});
  }
  const Allocation allocation = allocate(model.commands);
  EXPECT_EQ(allocation.offsets[0], allocation.offsets[2]);
  EXPECT_NE(allocation.offsets[0], allocation.offsets[1]);
  EXPECT_EQ(allocation.weights_bytes, 512u);
}

}  // namespace
}  // namespace kawara::compiler
