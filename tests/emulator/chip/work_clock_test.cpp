// SPDX-License-Identifier: Apache-2.0
// The work clock as the chip shows it: in records, signals, registers. What a command costs, tests/hw/cost_test.cpp says.
#include <array>
#include <bit>

#include "emulator/chip/chip_bench.h"
#include "kawara/hw/cost.h"

namespace kawara::emulator {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kSource = 0x1000'0000, kTarget = 0x2000'0000, kHost = 0x3000'0000;
constexpr uint32_t kBytes = 4000;

class WorkClockTest : public ChipBench {
 protected:
  WorkClockTest() {
    map(kSource, 0x1000, kReadWrite | KAWARA_PTE_LOCAL);
    map(kTarget, 0x4000, kReadWrite | KAWARA_PTE_LOCAL);
    map(kHost, host_pages(), kReadWrite);
    start(0);
  }
  kawara_packet copy_from(uint64_t address) {
    const kawara_region table[] = {region(address, kBytes), region(kTarget, kBytes)};
    return job(copy_command(kBytes), table, 5);
  }
  // Runs it and gives the cycles of its record.
  uint64_t cycles_of(const kawara_packet& packet) {
    record().status = 0;
    const uint32_t head = queue(0, KAWARA_QUEUE_HEAD);
    submit(0, packet);
    EXPECT_TRUE(wait_for_head(0, head + 1)) << fault(0).code;
    return record().cycles;
  }
  uint64_t read64(uint32_t low) {
    const uint64_t bits = chip->read(low);
    return bits | uint64_t{chip->read(low + 4)} << 32;
  }
};

TEST_F(WorkClockTest, OfOneJobIsTheSameEachTimeHoweverLongItTakes) {
  const kawara_packet packet = copy_from(kHost);
  const uint64_t first = cycles_of(packet);
  EXPECT_GT(first, 0u);
  EXPECT_EQ(cycles_of(packet), first);
  on_run([](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    std::this_thread::sleep_for(5ms);
    return retire_all(job, begin, end, progress);
  });
  EXPECT_EQ(cycles_of(packet), first);
}

// The bench moves a byte a cycle over PCIe and in local memory alike: host to local, both at once; local to local, one after the other.
TEST_F(WorkClockTest, ChargesTheMemoriesThatRegionsLieIn) {
  const uint64_t from_host = cycles_of(copy_from(kHost)), from_local = cycles_of(copy_from(kSource));
  EXPECT_GE(from_host, kBytes);
  EXPECT_EQ(from_local - from_host, kBytes);
  EXPECT_EQ(cycles_of(copy_from(kHost)), from_host) << "one snapshot, two prices";
}

TEST_F(WorkClockTest, OfSegmentsAddsUp) {
  const auto one = copy_command(kBytes);
  std::vector<std::byte> two(one);
  reinterpret_cast<kawara_header*>(two.data())->flags |= KAWARA_HEADER_SWITCH_POINT;
  two.insert(two.end(), one.begin(), one.end());
  const kawara_region table[] = {region(kHost, kBytes), region(kTarget, kBytes)};
  const uint64_t alone = cycles_of(job(one, table));
  EXPECT_EQ(cycles_of(job(two, table)), 2 * alone);
}

TEST_F(WorkClockTest, StandsInTheSignalAndItsCountersGrowByEachJob) {
  const uint64_t bus = host_pages();
  const uint64_t cycles = cycles_of(copy_from(kHost));
  submit(0, signal(bus, 1));
  ASSERT_TRUE(wait_for_head(0, 2));
  const auto& shown = host<kawara_signal>(bus);
  EXPECT_EQ(shown.tag, 5u);
  EXPECT_EQ(shown.cycles, cycles);
  EXPECT_EQ(shown.busy_dma, cycles) << "nothing else was busy";
  EXPECT_EQ(shown.busy_me, 0u);
  EXPECT_EQ(shown.busy_ve, 0u);
  EXPECT_EQ(shown.bytes_host, kBytes);
  EXPECT_EQ(shown.bytes_local, kBytes);
  EXPECT_EQ(read64(KAWARA_REGISTER(GLOBAL, 0, CYCLES_LO)), cycles);
  EXPECT_EQ(read64(KAWARA_REGISTER(PMU, 0, BUSY_DMA_IN_LO)), cycles);
  EXPECT_EQ(read64(KAWARA_REGISTER(PMU, 0, BUSY_DMA_OUT_LO)), 0u);
  cycles_of(copy_from(kHost));
  EXPECT_EQ(read64(KAWARA_REGISTER(GLOBAL, 0, CYCLES_LO)), 2 * cycles);
  EXPECT_EQ(read64(KAWARA_REGISTER(PMU, 0, BUSY_DMA_IN_LO)), 2 * cycles);
}

// One before the copy and one behind it; the second crosses from one host page to another that does not follow it.
TEST_F(WorkClockTest, StandsInTheMemoryOfEachEvent) {
  const uint64_t far = host_pages(), near = host_pages();
  constexpr uint64_t kEvents = 0x4000'0000 - 0x10'0000;
  map(kEvents, near, kReadWrite);
  map(kEvents + 4096, far, kReadWrite);
  const auto event = [](uint64_t offset, uint32_t wait) {
    auto body = hw::blank<kawara_event>();
    body.header.wait[0] = wait;
    body.dst = hw::operand(2, offset);
    return hw::encode(body);
  };
  std::vector<std::byte> commands = event(0, 0);
  for (const auto& next : {copy_command(kBytes), event(4096 - 16, hw::wait(KAWARA_ENGINE_DMA_IN, 1))})
    commands.insert(commands.end(), next.begin(), next.end());
  const kawara_region table[] = {region(kHost, kBytes), region(kTarget, kBytes), region(kEvents, 8192)};
  cycles_of(job(commands, table));
  const auto& first = host<kawara_counters>(near);
  std::array<std::byte, sizeof(kawara_counters)> joined;
  std::memcpy(joined.data(), host_bytes(near) + 4096 - 16, 16);
  std::memcpy(joined.data() + 16, host_bytes(far), joined.size() - 16);
  const auto second = std::bit_cast<kawara_counters>(joined);
  EXPECT_EQ(first.bytes_host, 0u);
  EXPECT_EQ(second.bytes_host, kBytes);
  EXPECT_GE(second.cycles - first.cycles, kBytes);
  EXPECT_EQ(second.busy_dma, cycles_of(copy_from(kHost)));
}

TEST_F(WorkClockTest, OfAFaultedJobIsNotCounted) {
  const kawara_region table[] = {region(0x7000'0000, kBytes), region(kTarget, kBytes)};
  submit(0, job(copy_command(kBytes), table));
  EXPECT_EQ(wait_for_fault(0).code, KAWARA_FAULT_page_fault);
  EXPECT_EQ(read64(KAWARA_REGISTER(GLOBAL, 0, CYCLES_LO)), 0u);
}

}  // namespace
}  // namespace kawara::emulator
