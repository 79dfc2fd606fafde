// SPDX-License-Identifier: Apache-2.0
// Jobs that come again: not checked twice, and yet no job runs what was not checked.
#include "emulator/chip/chip_bench.h"
#include "emulator/chip/snapshot_cache.h"
#include "emulator/chips.h"

namespace kawara::emulator {
namespace {

constexpr uint64_t kSource = 0x1000'0000, kTarget = 0x2000'0000;

class SnapshotTest : public ChipBench {
 protected:
  SnapshotTest() {
    map(kSource, 0x1000, kReadWrite | KAWARA_PTE_LOCAL);
    map(kSource + 4096, 0x2000, kReadWrite | KAWARA_PTE_LOCAL);
    map(kTarget, 0x4000, kReadWrite | KAWARA_PTE_LOCAL);
    map(kTarget + 4096, 0x5000, KAWARA_PTE_READ | KAWARA_PTE_LOCAL);
    start(0);
    on_run([this](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
      snapshots.push_back(job.snapshot);
      data.push_back(job.regions[0].data - chip->local().data());
      return retire_all(job, begin, end, progress);
    });
  }
  // The same commands with another table; the number of commands that the chip checked for it.
  uint64_t checked_for(const kawara_packet& packet) {
    const uint64_t before = chip->counters().commands_checked;
    const uint32_t head = queue(0, KAWARA_QUEUE_HEAD);
    submit(0, packet);
    ended = wait_until([&] { return queue(0, KAWARA_QUEUE_HEAD) == head + 1 || state(0) == KAWARA_QUEUE_FAULTED; });
    EXPECT_TRUE(ended);
    return chip->counters().commands_checked - before;
  }
  kawara_packet copy_of(uint64_t from, uint64_t to, uint64_t size = 64, uint32_t flags = KAWARA_REGION_READ | KAWARA_REGION_WRITE) {
    const kawara_region table[] = {region(from, size, flags), region(to, 64)};
    return job(copy_command(16), table);
  }

  std::vector<uint64_t> snapshots;
  std::vector<ptrdiff_t> data;
  bool ended = false;
};

TEST_F(SnapshotTest, OtherAddressesNeedNoCheckOfCommandsAndLeadElsewhere) {
  EXPECT_EQ(checked_for(copy_of(kSource, kTarget)), 1u);
  EXPECT_EQ(checked_for(copy_of(kSource + 4096, kTarget)), 0u);
  EXPECT_EQ(checked_for(copy_of(kSource, kTarget)), 0u);
  EXPECT_THAT(data, ::testing::ElementsAre(0x1000, 0x2000, 0x1000));
  EXPECT_EQ(snapshots[0], snapshots[1]);
}

TEST_F(SnapshotTest, OtherCommandsSizesOrFlagsAreAnotherSnapshot) {
  EXPECT_EQ(checked_for(copy_of(kSource, kTarget)), 1u);
  EXPECT_EQ(checked_for(copy_of(kSource, kTarget, 128)), 1u);
  EXPECT_EQ(checked_for(copy_of(kSource, kTarget, 64, KAWARA_REGION_READ)), 1u);
  const kawara_region table[] = {region(kSource, 64), region(kTarget, 64)};
  EXPECT_EQ(checked_for(job(copy_command(17), table)), 1u);
  EXPECT_EQ(checked_for(copy_of(kSource, kTarget)), 0u) << "the first is still known";
  EXPECT_NE(snapshots[0], snapshots[1]);
  EXPECT_NE(snapshots[0], snapshots[3]);
  EXPECT_EQ(snapshots[0], snapshots[4]);
}

TEST_F(SnapshotTest, TheTableIsCheckedEachTime) {
  EXPECT_EQ(checked_for(copy_of(kSource, kTarget)), 1u);
  struct Case {
    kawara_packet packet;
    uint32_t code;
  };
  const Case cases[] = {
      {copy_of(kSource + 8, kTarget), KAWARA_FAULT_bad_region},               // alignment
      {copy_of((uint64_t{1} << 39) - 16, kTarget), KAWARA_FAULT_bad_region},  // leaves the address space
      {copy_of(kTarget + 32, kTarget), KAWARA_FAULT_bad_region},              // overlap
      {copy_of(kSource + 8192, kTarget), KAWARA_FAULT_page_fault},            // not mapped
      {copy_of(kSource, kTarget + 4096), KAWARA_FAULT_read_only},             // mapped, but not for writing
  };
  for (const Case& one : cases) {
    EXPECT_EQ(checked_for(one.packet), 0u);
    EXPECT_EQ(fault(0).code, one.code);
    write_queue(0, KAWARA_QUEUE_RESET, 1);
    ASSERT_TRUE(wait_until([&] { return state(0) == KAWARA_QUEUE_DISABLED; }));
    restart_after_reset(0);
  }
  EXPECT_EQ(snapshots.size(), 1u) << "none of them ran";
}

TEST_F(SnapshotTest, CommandsThatAreSpoiledInPlaceAreFound) {
  const kawara_packet packet = copy_of(kSource, kTarget);
  const uint64_t bus = entry(last_commands(), 3) & KAWARA_PTE_ADDRESS;
  EXPECT_EQ(checked_for(packet), 1u);
  host<kawara_copy>(bus).dtype = 77;
  EXPECT_EQ(checked_for(packet), 0u) << "refused, so not counted as checked";
  EXPECT_EQ(fault(0).code, KAWARA_FAULT_bad_command);
  EXPECT_EQ(snapshots.size(), 1u);
}

TEST_F(SnapshotTest, ThatAreNotUsedGoWhenTheRoomEnds) {
  AddressSpace space(memory, chip->local(), [] { return false; });
  space.enter(root());
  const auto packet_of = [&](uint32_t count) { return nops(count); };
  const kawara_packet three[] = {packet_of(8), packet_of(9), packet_of(10)};
  const kawara_check_limits limits{
      .features = 0, .sram_bytes = 0, .config = &find_config("k1-mini"), .segment_cycles_max = uint64_t{1} << KAWARA_SEGMENT_CYCLES_LOG2};
  SnapshotCache measured;
  const uint64_t one = (*measured.get(space, kawara_unpack_run(&three[2]), {}, limits))->size_bytes();
  SnapshotCache cache(2 * one);
  const auto checked = [&](int which) {
    const uint64_t before = cache.commands_checked();
    EXPECT_TRUE(cache.get(space, kawara_unpack_run(&three[which]), {}, limits));
    return cache.commands_checked() - before;
  };
  EXPECT_EQ(checked(0), 8u);
  EXPECT_EQ(checked(1), 9u);
  EXPECT_EQ(checked(0), 0u);
  EXPECT_EQ(checked(2), 10u);
  EXPECT_EQ(checked(0), 0u) << "used after the other";
  EXPECT_EQ(checked(1), 9u) << "gone";
}

}  // namespace
}  // namespace kawara::emulator
