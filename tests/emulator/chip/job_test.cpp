// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/chip_bench.h"

namespace kawara::emulator {
namespace {

constexpr uint64_t kSource = 0x1000'0000, kTarget = 0x2000'0000;

using JobTest = ChipBench;

TEST_F(JobTest, WritesItsRecordAndShowsItsProgress) {
  on_run([](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    retire_all(job, begin, end, progress);
    return Health{.nan = 1, .inf = 2, .saturated = uint64_t{1} << 40, .dropped = 4};
  });
  start(0);
  const uint32_t work = queue(0, KAWARA_QUEUE_WORK);
  submit(0, nops(5, 0x1122334455667788));
  ASSERT_TRUE(wait_for_head(0, 1));
  EXPECT_EQ(record().tag, 0x1122334455667788u);
  EXPECT_EQ(record().status, 1u);
  EXPECT_EQ(record().commands, 5u);
  EXPECT_EQ(record().nan, 1u);
  EXPECT_EQ(record().inf, 2u);
  EXPECT_EQ(record().saturated, ~0u);
  EXPECT_EQ(record().dropped, 4u);
  EXPECT_EQ(queue(0, KAWARA_QUEUE_COMMAND), 4u * 32);
  EXPECT_GE(queue(0, KAWARA_QUEUE_WORK) - work, 5u);
}

TEST_F(JobTest, MayGoWithoutARecordRegionsAndCommands) {
  start(0);
  submit(0, {{KAWARA_PACKET_RUN | kContext << 16}});
  EXPECT_TRUE(wait_for_head(0, 1));
  EXPECT_EQ(state(0), KAWARA_QUEUE_IDLE);
}

TEST_F(JobTest, RunsTheSnapshotWhateverTheHostWritesMeanwhile) {
  std::atomic<bool> started = false, written = false;
  std::vector<std::byte> seen;
  on_run([&](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    started = true;
    wait_until([&] { return written.load(); });
    seen.assign(job.commands.begin(), job.commands.end());
    return retire_all(job, begin, end, progress);
  });
  start(0);
  const kawara_packet packet = nops(2);
  const uint64_t bus = entry(last_commands(), 3) & KAWARA_PTE_ADDRESS;
  const std::vector<std::byte> sent(host_bytes(bus), host_bytes(bus) + 64);
  submit(0, packet);
  ASSERT_TRUE(wait_until([&] { return started.load(); }));
  std::memset(host_bytes(bus), 0xff, 64);
  written = true;
  ASSERT_TRUE(wait_for_head(0, 1));
  EXPECT_EQ(seen, sent);
}

TEST_F(JobTest, GivesTheExecutorEachRegionWhereItLies) {
  const uint64_t first = host_pages(2), second = host_pages();
  map(kSource, second, kReadWrite);
  map(kSource + 4096, first, kReadWrite);
  map(kSource + 8192, first + 4096, kReadWrite);
  map(kTarget, 0x5000, kReadWrite | KAWARA_PTE_LOCAL);
  std::vector<Region> seen;
  on_run([&](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    seen.assign(job.regions.begin(), job.regions.end());
    return retire_all(job, begin, end, progress);
  });
  start(0);
  const kawara_region regions[] = {region(kSource + 16, 0x2800, KAWARA_REGION_READ), region(kTarget + 32, 4000),
                                   region(0x7000'0000, 64)};  // nobody names the last one: it needs no page
  submit(0, job(copy_command(16), regions));
  ASSERT_TRUE(wait_for_head(0, 1)) << fault(0).code;
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].place, Region::Place::host);
  EXPECT_TRUE(seen[0].readable);
  EXPECT_FALSE(seen[0].writable);
  ASSERT_EQ(seen[0].pieces.size(), 2u);
  EXPECT_EQ(seen[0].pieces[0].offset, 0u);
  EXPECT_EQ(seen[0].pieces[0].data, host_bytes(second) + 16);
  EXPECT_EQ(seen[0].pieces[0].size, 4080u);
  EXPECT_EQ(seen[0].pieces[1].offset, 4080u);
  EXPECT_EQ(seen[0].pieces[1].data, host_bytes(first));
  EXPECT_EQ(seen[0].pieces[1].size, 0x2800u - 4080);
  EXPECT_EQ(seen[1].place, Region::Place::local);
  EXPECT_EQ(seen[1].data, chip->local().data() + 0x5020);
  EXPECT_EQ(seen[1].size, 4000u);
  EXPECT_EQ(seen[2].place, Region::Place::absent);
}

TEST_F(JobTest, SeesNothingThatAnotherContextLeftInSram) {
  map(kSource, 0, kReadWrite | KAWARA_PTE_LOCAL);
  std::vector<std::byte> seen;
  on_run([&](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    EXPECT_EQ(job.regions[1].place, Region::Place::sram);
    EXPECT_EQ(job.regions[1].data, sram().data() + 128);
    seen.push_back(job.regions[1].data[63]);
    job.regions[1].data[63] = std::byte{0x5e};
    return retire_all(job, begin, end, progress);
  });
  const kawara_region regions[] = {region(kSource, 64), region(128, 64, KAWARA_REGION_SRAM | KAWARA_REGION_READ | KAWARA_REGION_WRITE)};
  kawara_packet packet = job(vector_command(), regions);
  start(0);
  push(0, packet);
  submit(0, packet);
  ASSERT_TRUE(wait_for_head(0, 2)) << fault(0).code;
  set_root(4, root() | KAWARA_CONTEXT_ROOT_LO_VALID);
  packet.word[0] = KAWARA_PACKET_RUN | 4u << 16;
  submit(0, packet);
  ASSERT_TRUE(wait_for_head(0, 3));
  set_root(4, root() | KAWARA_CONTEXT_ROOT_LO_VALID);  // the number has another owner now
  submit(0, packet);
  ASSERT_TRUE(wait_for_head(0, 4));
  EXPECT_THAT(seen, ::testing::ElementsAre(std::byte{0}, std::byte{0x5e}, std::byte{0}, std::byte{0}));
}

TEST_F(JobTest, InvalidationOfItsContextWaitsForItsEnd) {
  std::atomic<bool> started = false, finish = false;
  on_run([&](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    started = true;
    wait_until([&] { return finish.load(); });
    return retire_all(job, begin, end, progress);
  });
  start(0);
  submit(0, nops(1));
  ASSERT_TRUE(wait_until([&] { return started.load(); }));
  EXPECT_EQ(queue(0, KAWARA_QUEUE_STATE), KAWARA_PUT(QUEUE_STATE_CONTEXT, kContext) | KAWARA_QUEUE_RUNNING);
  const uint32_t mine = KAWARA_REGISTER(CONTEXT, kContext, INVALIDATE), other = KAWARA_REGISTER(CONTEXT, kContext + 1, INVALIDATE);
  chip->write(mine, 1);
  chip->write(other, 1);
  EXPECT_EQ(chip->read(mine), 1u);
  EXPECT_EQ(chip->read(other), 0u);
  finish = true;
  EXPECT_TRUE(wait_until([&] { return chip->read(mine) == 0; }));
}

// The region goes through two ranges that touch on the bus; they and the record's are held.
TEST_F(JobTest, HostMemoryThatItUsesStaysUntilItsEnd) {
  struct alignas(4096) Page {
    std::byte bytes[4096] = {};
  };
  const auto first = std::make_unique<Page>(), second = std::make_unique<Page>();
  memory.insert(0x9000'0000, first->bytes);
  memory.insert(0x9000'1000, second->bytes);
  map(kSource, 0x9000'0000, kReadWrite);
  map(kSource + 4096, 0x9000'1000, kReadWrite);
  map(kTarget, 0, kReadWrite | KAWARA_PTE_LOCAL);
  const kawara_region regions[] = {region(kSource, 8192), region(kTarget, 4096)};
  const kawara_packet packet = job(copy_command(16), regions);
  for (const uint64_t range : {uint64_t{0x9000'0000}, uint64_t{0x9000'1000}, kBus}) {
    std::atomic<bool> started = false, finish = false, erased = false;
    on_run([&](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
      EXPECT_EQ(job.regions[0].place, Region::Place::host);
      started = true;
      wait_until([&] { return finish.load(); });
      return retire_all(job, begin, end, progress);
    });
    if (range == 0x9000'0000) start(0);
    submit(0, packet);
    ASSERT_TRUE(wait_until([&] { return started.load(); })) << fault(0).code;
    const std::span<std::byte> bytes = memory.find(range, 4096);
    std::thread eraser([&] {
      memory.erase(range);
      erased = true;
    });
    EXPECT_TRUE(wait_until([&] { return memory.find(range, 1).empty(); }));
    EXPECT_FALSE(erased);
    finish = true;
    eraser.join();
    EXPECT_TRUE(wait_until([&] { return state(0) == KAWARA_QUEUE_IDLE; }));
    memory.insert(range, range == kBus ? std::span(host_bytes(kBus), kHostPages * 4096) : bytes);
  }
  chip.reset();  // before the pages that it was given
}

}  // namespace
}  // namespace kawara::emulator
