// SPDX-License-Identifier: Apache-2.0
// What a job asks of Vulkan: nothing for one of the command processor alone, no recording for one that was recorded before.
#include <gmock/gmock.h>

#include "emulator/reference/machine.h"
#include "emulator/vulkan/call_counter.h"
#include "emulator/vulkan/random_program.h"
#include "emulator/vulkan/twins.h"
#include "emulator/vulkan/vulkan_executor.h"

namespace kawara::test {
namespace {

class VulkanCalls : public testing::Test {
 protected:
  void run(const emulator::Job& job) {
    emulator::Progress progress = Twins::quiet();
    progress.retired = [this](uint32_t command) { retired = command + 1; };
    executor.run(job, 0, static_cast<uint32_t>(job.offsets.size()), progress);
  }

  // A new pipeline is run once by itself, where it harms nothing.
  uint64_t warm_ups() const { return context->pipelines.compiled(); }

  Twins twins;
  std::shared_ptr<emulator::vulkan::VulkanContext> context = std::make_shared<emulator::vulkan::VulkanContext>("");
  emulator::vulkan::VulkanExecutor executor{context, twins.memory(0).local(), twins.memory(0).sram()};
  CallCounter calls{context->device};
  uint32_t retired = 0;
};

kawara_copy copy_of(uint32_t from, uint32_t to, uint32_t bytes) {
  auto copy = hw::blank<kawara_copy>();
  copy.header.engine = KAWARA_ENGINE_DMA_IN;
  copy.dtype = KAWARA_DTYPE_u8;
  copy.extent[5] = copy.src_extent[5] = bytes;
  copy.src_stride[5] = copy.dst_stride[5] = 1;
  copy.src = hw::operand(from, 0), copy.dst = hw::operand(to, 0);
  return copy;
}

TEST_F(VulkanCalls, AreNoneForAnEmptyJob) {
  hw::Commands commands;
  commands.append(hw::encode(hw::blank<kawara_nop>()));
  for (int i = 0; i < 3; ++i) run(twins.job(commands, 0));
  EXPECT_EQ(retired, 1u);
  EXPECT_EQ(calls.all(), 0u);
}

TEST_F(VulkanCalls, AreCountedWhereThereAreAny) {
  const auto from = twins.local(noise(64, 1)), to = twins.local(std::vector<float>(64));
  hw::Commands commands;
  commands.append(hw::encode(hw::blank<kawara_nop>()));
  commands.append(hw::encode(copy_of(from, to, 256)));
  run(twins.job(commands, 0));
  EXPECT_EQ(retired, 2u);
  EXPECT_EQ(calls.of(VulkanCall::BeginCommandBuffer), 1 + warm_ups());
  EXPECT_EQ(calls.of(VulkanCall::QueueSubmit), 1 + warm_ups());
  EXPECT_GT(calls.of(VulkanCall::CmdDispatch), 0u);
  EXPECT_EQ(twins.vulkan<float>(to), twins.vulkan<float>(from));
}

// As a session's runs: each slot has buffers of its own, and the slots take turns.
TEST_F(VulkanCalls, RecordNothingInASecondRoundOfManySlots) {
  constexpr uint32_t M = 64, N = 64, K = 64;
  constexpr size_t kSlots = 40;
  const auto a = twins.local(noise(M * K, 1)), b = twins.local(noise(K * N, 2)), out = twins.local(std::vector<float>(M * N));
  auto gemm = hw::blank<kawara_gemm>();
  gemm.M = M, gemm.N = N, gemm.K = K;
  gemm.acc_dtype = gemm.a.dtype = gemm.b.dtype = kF32;
  gemm.a.data = hw::operand(a, 0), gemm.b.data = hw::operand(b, 0);
  gemm.a.stride[2] = K, gemm.a.stride[3] = 1, gemm.b.stride[2] = N, gemm.b.stride[3] = 1;
  hw::Section section;
  section.acc_group = 1;
  section.streams = {stream(out, kF32, 0, 2)};
  section.coords = {coord(N, M, {{2, 1}}), coord(1, N, {{3, 1}})};
  section.instrs = {store(kF32, accumulator(0), 0)};
  section.phases = {once(1)};
  hw::Commands commands;
  commands.append(hw::encode(gemm, &section));

  emulator::Job job = twins.job(commands, 0);
  std::vector<std::vector<emulator::Region>> slots(kSlots, {job.regions.begin(), job.regions.end()});
  for (size_t slot = 0; slot < kSlots; ++slot) {
    for (emulator::Region& region : slots[slot]) {
      std::byte* const moved = region.data + slot * (1 << 20);
      std::memmove(moved, region.data, region.size);
      region.data = moved;
    }
  }
  const auto round = [&] {
    calls.reset();
    for (const auto& regions : slots) {
      job.regions = regions;
      run(job);
    }
  };
  round();
  // Without software lanes no address is part of a command buffer.
  EXPECT_EQ(calls.of(VulkanCall::BeginCommandBuffer), (context->device->software_lanes() != 0 ? kSlots : 1) + warm_ups());
  EXPECT_EQ(calls.of(VulkanCall::QueueSubmit), kSlots + warm_ups());
  for (int i = 0; i < 3; ++i) {
    round();
    EXPECT_EQ(calls.of(VulkanCall::QueueSubmit), kSlots);
    EXPECT_EQ(calls.of(VulkanCall::BeginCommandBuffer), 0u);
    EXPECT_EQ(calls.of(VulkanCall::CreateCommandPool), 0u);
    EXPECT_EQ(calls.of(VulkanCall::CmdDispatch), 0u);
  }
  EXPECT_EQ(executor.commands_recorded(), 1u);
  const auto* const first = reinterpret_cast<const float*>(slots.front()[out].data);
  const auto* const last = reinterpret_cast<const float*>(slots.back()[out].data);
  EXPECT_TRUE(std::equal(first, first + M * N, last)) << "each slot has its own result";
  EXPECT_NE(*last, 0);
}

}  // namespace
}  // namespace kawara::test
