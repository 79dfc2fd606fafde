// SPDX-License-Identifier: Apache-2.0
// Jobs on Vulkan: copies, order, replay, progress.
#include <gmock/gmock.h>

#include <cmath>
#include <thread>

#include "emulator/reference/machine.h"
#include "emulator/vulkan/random_program.h"
#include "emulator/vulkan/twins.h"
#include "emulator/vulkan/vulkan_executor.h"

namespace kawara::test {
namespace {

using testing::ElementsAre;

hw::Section scale(uint32_t in, uint32_t out, uint32_t n, float by) {
  hw::Section section;
  section.extent = {n};
  section.n_par = 1;
  section.n_in = 1;
  section.streams = {stream(in, kF32, 0, 1), stream(out, kF32, 0, 1)};
  section.coords = {coord(1, n, {{0, 1}})};
  section.constants = {std::bit_cast<uint32_t>(by)};
  section.instrs = {load(kF32, 0, 0), instr(KAWARA_OP_mul, kF32, 0, 0, constant(0)), store(kF32, 0, 1)};
  section.phases = {once(3)};
  return section;
}

kawara_copy flat_copy(uint32_t from, uint32_t to, uint32_t bytes, uint8_t engine) {
  auto copy = hw::blank<kawara_copy>();
  copy.header.engine = engine;
  copy.dtype = KAWARA_DTYPE_u8;
  copy.extent[5] = copy.src_extent[5] = bytes;
  copy.src_stride[5] = copy.dst_stride[5] = 1;
  copy.src = hw::operand(from, 0), copy.dst = hw::operand(to, 0);
  return copy;
}

TEST(VulkanCopy, TransposesAndPads) {
  Twins twins;
  const auto in = twins.local(noise(6 * 10, 1)), out = twins.local(noise(12 * 8, 2));
  auto copy = hw::blank<kawara_copy>();
  copy.header.engine = KAWARA_ENGINE_DMA_IN;
  copy.dtype = kF32;
  copy.extent[4] = 12, copy.extent[5] = 8, copy.src_extent[4] = 10, copy.src_extent[5] = 6;
  copy.pad_lo[4] = 1, copy.pad_lo[5] = 2;
  copy.src_stride[4] = 1, copy.src_stride[5] = 10, copy.dst_stride[4] = 8, copy.dst_stride[5] = 1;
  copy.pad = 0x3f800000;
  copy.src = hw::operand(in, 0), copy.dst = hw::operand(out, 0);
  twins.run(copy);
  EXPECT_EQ(twins.vulkan<uint32_t>(out), twins.reference<uint32_t>(out));
}

// One dimension lies in the padding whole, so that no stride is bounded. The sanitizer watches the sums.
TEST(VulkanCopy, OfPaddingAloneMayHaveAnyStride) {
  for (const bool from_host : {false, true}) {
    Twins twins;
    const auto values = noise(8, 1);
    const auto in = from_host ? twins.host(values, 16) : twins.local(values), out = twins.local(noise(16, 2));
    auto copy = hw::blank<kawara_copy>();
    copy.header.engine = KAWARA_ENGINE_DMA_IN;
    copy.dtype = kF32;
    copy.extent[4] = copy.src_extent[4] = 8, copy.extent[5] = 2, copy.src_extent[5] = 1;
    copy.pad_lo[5] = 64;
    copy.src_stride[4] = copy.src_stride[5] = INT64_MIN / 3;
    copy.dst_stride[4] = 2, copy.dst_stride[5] = 1;
    copy.pad = 7;
    copy.src = hw::operand(in, 0), copy.dst = hw::operand(out, 0);
    twins.run(copy);
    EXPECT_EQ(twins.vulkan<uint32_t>(out), std::vector<uint32_t>(16, 7));
    EXPECT_EQ(twins.reference<uint32_t>(out), std::vector<uint32_t>(16, 7));
  }
}

class VulkanIndexedCopy : public testing::TestWithParam<int> {};

TEST_P(VulkanIndexedCopy, DropsOrPadsWhatLiesOutside) {
  Twins twins;
  const auto in = twins.local(noise(20 * 4, 1)), out = twins.local(noise(20 * 4, 2));
  const auto index = twins.local(std::vector<int64_t>{3, 19, -1, 7, int64_t{1} << 32, 20, 0, 11});
  auto copy = hw::blank<kawara_copy>();
  copy.header.engine = KAWARA_ENGINE_DMA_IN;
  copy.dtype = kF32;
  copy.flags = static_cast<uint8_t>(GetParam());
  copy.extent[4] = copy.src_extent[4] = 8, copy.extent[5] = copy.src_extent[5] = 4;
  copy.index_dim = 4, copy.index_extent = 20, copy.index_dtype = kI64, copy.index = hw::operand(index, 0);
  copy.src_stride[4] = copy.dst_stride[4] = 4, copy.src_stride[5] = copy.dst_stride[5] = 1;
  copy.pad = 0x40000000;
  copy.src = hw::operand(in, 0), copy.dst = hw::operand(out, 0);
  twins.run(copy);
  EXPECT_EQ(twins.vulkan<uint32_t>(out), twins.reference<uint32_t>(out));
}
INSTANTIATE_TEST_SUITE_P(Flags, VulkanIndexedCopy, testing::Values(KAWARA_COPY_GATHER, KAWARA_COPY_SCATTER));

// Host to local, a program, local to host: each waits for the one before.
TEST(VulkanJob, CopiesInRunsAndCopiesOut) {
  Twins twins;
  const auto values = noise(500, 1);
  const auto source = twins.host(values, 256), target = twins.host(std::vector<float>(500), 384);
  const auto in = twins.local(std::vector<float>(500)), out = twins.local(std::vector<float>(500));
  hw::Commands commands;
  commands.append(hw::encode(flat_copy(source, in, 2000, KAWARA_ENGINE_DMA_IN)));
  auto vector = hw::blank<kawara_vector>();
  vector.header.wait[0] = hw::wait(KAWARA_ENGINE_DMA_IN, 1);
  const auto section = scale(in, out, 500, 3);
  commands.append(hw::encode(vector, &section));
  auto back = flat_copy(out, target, 2000, KAWARA_ENGINE_DMA_OUT);
  back.header.wait[0] = hw::wait(KAWARA_ENGINE_VE, 1);
  commands.append(hw::encode(back));
  twins.run(commands);
  EXPECT_EQ(twins.vulkan<float>(target), twins.reference<float>(target));
  EXPECT_EQ(twins.vulkan<float>(target)[7], values[7] * 3);
}

// NaN, infinities, and stores whose index leads nowhere.
TEST(VulkanJob, CountsWhatItsHealthFlagAsksFor) {
  Twins twins;
  const auto in = twins.local(std::vector<float>{1, NAN, INFINITY, -INFINITY, 0, NAN, 2, 3}), out = twins.local(std::vector<float>(8));
  const auto index = twins.local(std::vector<int32_t>{0, 1, 2, 3, 8, 5, -1, 7});
  auto section = scale(in, out, 8, 2);
  section.n_in = 2;
  section.streams = {stream(in, kF32, 0, 1), stream(index, kI32, 0, 1), stream(out, kF32, 1, 1)};
  section.coords.push_back(coord(1, 8, {}));
  section.coords[1].flags = KAWARA_COORD_INDEXED, section.coords[1].reg = 1;
  section.instrs = {load(kF32, 0, 0), load(kI32, 1, 1), store(kF32, 0, 2)};
  auto vector = hw::blank<kawara_vector>();
  vector.header.flags |= KAWARA_HEADER_HEALTH;
  hw::Commands commands;
  commands.append(hw::encode(vector, &section));
  const auto [vulkan, reference] = twins.run(commands);
  EXPECT_EQ(vulkan.nan, reference.nan);
  EXPECT_EQ(vulkan.inf, reference.inf);
  EXPECT_EQ(vulkan.dropped, reference.dropped);
  EXPECT_EQ(vulkan.nan, 2u);
  EXPECT_EQ(vulkan.dropped, 2u);
}

// The executor itself, so that its counters can be seen.
struct Bench {
  Bench()
      : context(std::make_shared<emulator::vulkan::VulkanContext>("")),
        executor(context, twins.memory(0).local(), twins.memory(0).sram()) {}
  void run(const hw::Commands& commands, const emulator::Progress& progress = Twins::quiet()) {
    executor.run(twins.job(commands, 0), 0, static_cast<uint32_t>(commands.offsets().size()), progress);
  }
  Twins twins;
  std::shared_ptr<emulator::vulkan::VulkanContext> context;
  emulator::vulkan::VulkanExecutor executor;
};

TEST(VulkanJob, IsReplayedWithOtherAddressesWithoutRecordingAnything) {
  Bench bench;
  const auto in = bench.twins.local(std::vector<float>(100, 2)), out = bench.twins.local(std::vector<float>(100));
  hw::Commands commands;
  const auto section = scale(in, out, 100, 3);
  commands.append(hw::encode(hw::blank<kawara_vector>(), &section));
  bench.run(commands);
  const uint64_t compiled = bench.context->pipelines.compiled();
  bench.twins.move(in);
  bench.twins.move(out);
  bench.twins.fill<float>(in, 5);
  bench.run(commands);
  EXPECT_EQ(bench.twins.vulkan<float>(out), std::vector<float>(100, 15));
  EXPECT_EQ(bench.executor.commands_recorded(), 1u);
  EXPECT_EQ(bench.context->pipelines.compiled(), compiled);
}

// Two chips of one process share the device; what one runs does not disturb the other.
TEST(VulkanJob, RunsBesideAnotherChips) {
  Twins first, second;
  const auto work = [](Twins& twins, float by) {
    const auto in = twins.local(noise(5000, 1)), out = twins.local(std::vector<float>(5000));
    for (int i = 0; i < 20; ++i) {
      const auto section = scale(in, out, 5000 - static_cast<uint32_t>(i), by);
      twins.run(hw::blank<kawara_vector>(), &section);
    }
    return out;
  };
  uint32_t out = 0;
  std::thread other([&] { work(second, 2); });
  out = work(first, 3);
  other.join();
  EXPECT_EQ(first.vulkan<float>(out), first.reference<float>(out));
  EXPECT_EQ(second.vulkan<float>(out), second.reference<float>(out));
}

TEST(VulkanJob, OfANewShapeCompilesNoPipeline) {
  Bench bench;
  const auto in = bench.twins.local(std::vector<float>(1000, 2)), out = bench.twins.local(std::vector<float>(1000));
  for (const uint32_t n : {500u, 999u}) {
    hw::Commands commands;
    const auto section = scale(in, out, n, static_cast<float>(n));
    commands.append(hw::encode(hw::blank<kawara_vector>(), &section));
    bench.run(commands);
  }
  EXPECT_EQ(bench.twins.vulkan<float>(out)[998], 2 * 999);
  EXPECT_EQ(bench.executor.commands_recorded(), 2u);
  EXPECT_EQ(bench.context->pipelines.compiled(), 1u);
}

TEST(VulkanJob, TellsOfEveryCommandThatRetiresAndStopsWhenAborted) {
  Bench bench;
  const auto in = bench.twins.local(std::vector<float>(100, 2)), out = bench.twins.local(std::vector<float>(100));
  hw::Commands commands;
  const auto section = scale(in, out, 100, 3);
  for (int i = 0; i < 3; ++i) commands.append(hw::encode(hw::blank<kawara_vector>(), &section));
  std::vector<uint32_t> retired;
  emulator::Progress progress = Twins::quiet();
  progress.retired = [&](uint32_t command) { retired.push_back(command); };
  bench.run(commands, progress);
  EXPECT_THAT(retired, ElementsAre(2));
  progress.aborted = [] { return true; };
  bench.run(commands, progress);
  EXPECT_THAT(retired, ElementsAre(2));
}

}  // namespace
}  // namespace kawara::test
