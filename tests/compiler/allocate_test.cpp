// SPDX-License-Identifier: Apache-2.0
#include "allocate.h"

#include <algorithm>

#include <gmock/gmock.h>

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
  EXPECT_GE(allocation.arena_bytes, allocation.live_bytes_max);
  EXPECT_LE(allocation.arena_bytes, allocation.live_bytes_max * 5 / 4);
}

TEST(Allocate, AChainNeedsTwoOfItsBuffers) {
  Model model;
  for (uint32_t i = 0; i < 6; ++i) model.arena(1024, i, i + 1);
  const Allocation allocation = allocate(model.commands);
  EXPECT_EQ(allocation.arena_bytes, 2048u);
  EXPECT_EQ(allocation.live_bytes_max, 2048u);
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
