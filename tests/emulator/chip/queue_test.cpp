// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "emulator/chip/chip_bench.h"

namespace kawara::emulator {
namespace {

using QueueTest = ChipBench;

TEST_F(QueueTest, GoesThroughItsStates) {
  EXPECT_EQ(state(0), KAWARA_QUEUE_DISABLED);
  std::atomic<bool> started = false, finish = false;
  on_run([&](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    started = true;
    wait_until([&] { return finish.load(); });
    return retire_all(job, begin, end, progress);
  });
  start(0);
  start(1);
  EXPECT_EQ(state(0), KAWARA_QUEUE_IDLE);
  EXPECT_EQ(global(KAWARA_GLOBAL_STATUS), KAWARA_GLOBAL_STATUS_READY | KAWARA_GLOBAL_STATUS_IDLE);
  submit(0, nops(1));
  ASSERT_TRUE(wait_until([&] { return started.load(); }));
  EXPECT_EQ(state(0), KAWARA_QUEUE_RUNNING);
  submit(1, nop());
  EXPECT_EQ(state(1), KAWARA_QUEUE_READY) << "it waits for the chip";
  EXPECT_EQ(global(KAWARA_GLOBAL_STATUS), KAWARA_GLOBAL_STATUS_READY);
  finish = true;
  EXPECT_TRUE(wait_for_head(0, 1));
  EXPECT_TRUE(wait_for_head(1, 1));
  EXPECT_EQ(state(0), KAWARA_QUEUE_IDLE);
  EXPECT_EQ(state(1), KAWARA_QUEUE_IDLE);
}

TEST_F(QueueTest, WrapsAroundItsRingAndItsCounters) {
  const uint32_t first = ~0u - 20;
  start(0, 0, 4, first);
  const uint64_t bus = host_pages();
  uint32_t packet = 0;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 5; ++i) push(0, signal(bus, ++packet, false));
    ring(0);
    ASSERT_TRUE(wait_for_head(0, first + packet)) << fault(0).code;
    ASSERT_EQ(host<kawara_signal>(bus).value, packet);
  }
  EXPECT_EQ(queue(0, KAWARA_QUEUE_HEAD), 29u);
  EXPECT_EQ(queue(0, KAWARA_QUEUE_SIGNALS), 50u);
}

TEST_F(QueueTest, AFullRingIsAllowed) {
  start(0, 0, 4);
  for (int i = 0; i < 16; ++i) push(0, nop());
  ring(0);
  EXPECT_TRUE(wait_for_head(0, 16));
}

TEST_F(QueueTest, PlaceCanBeWrittenOnlyWhenDisabled) {
  start(0);
  const uint32_t base = queue(0, KAWARA_QUEUE_RING_BASE_LO);
  for (const uint32_t offset : {KAWARA_QUEUE_RING_BASE_LO, KAWARA_QUEUE_RING_BASE_HI, KAWARA_QUEUE_RING_SIZE, KAWARA_QUEUE_HEAD}) {
    const uint32_t before = queue(0, offset);
    write_queue(0, offset, before + 64);
    EXPECT_EQ(queue(0, offset), before) << offset;
  }
  write_queue(0, KAWARA_QUEUE_CONTROL, 0);
  EXPECT_EQ(state(0), KAWARA_QUEUE_DISABLED);
  write_queue(0, KAWARA_QUEUE_RING_BASE_LO, base + 64 + 5);
  EXPECT_EQ(queue(0, KAWARA_QUEUE_RING_BASE_LO), base + 64) << "aligned to a packet";
}

TEST_F(QueueTest, FetchesNothingUntilTheDeviceRuns) {
  chip->write(KAWARA_GLOBAL_CONTROL, 0);
  start(0);
  submit(0, nop());
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(queue(0, KAWARA_QUEUE_HEAD), 0u);
  EXPECT_EQ(state(0), KAWARA_QUEUE_READY);
  chip->write(KAWARA_GLOBAL_CONTROL, KAWARA_GLOBAL_CONTROL_RUN);
  EXPECT_TRUE(wait_for_head(0, 1));
}

TEST_F(QueueTest, WithoutEnableThePacketEndsAndTheNextWaits) {
  std::atomic<bool> started = false, finish = false;
  on_run([&](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    started = true;
    wait_until([&] { return finish.load(); });
    return retire_all(job, begin, end, progress);
  });
  start(0);
  push(0, nops(1));
  submit(0, nop());
  ASSERT_TRUE(wait_until([&] { return started.load(); }));
  write_queue(0, KAWARA_QUEUE_CONTROL, 0);
  EXPECT_EQ(state(0), KAWARA_QUEUE_RUNNING);
  finish = true;
  EXPECT_TRUE(wait_until([&] { return state(0) == KAWARA_QUEUE_DISABLED; }));
  EXPECT_EQ(queue(0, KAWARA_QUEUE_HEAD), 1u);
  write_queue(0, KAWARA_QUEUE_CONTROL, KAWARA_QUEUE_CONTROL_ENABLE);
  EXPECT_TRUE(wait_for_head(0, 2));
}

TEST_F(QueueTest, ASignalComesAfterTheRecordAndBeforeItsInterrupt) {
  const uint64_t bus = host_pages();
  start(5);
  push(5, nops(1, 0xabc));
  submit(5, signal(bus, 9));
  ASSERT_TRUE(wait_until([&] { return interrupts(5) == 1; }));
  EXPECT_EQ(host<kawara_signal>(bus).value, 9u);
  EXPECT_EQ(host<kawara_signal>(bus).tag, 0xabcu);
  EXPECT_EQ(record().status, 1u);
}

// Whoever sees a value sees all that its jobs and earlier signals wrote.
TEST_F(QueueTest, TheValueOfASignalIsWrittenLast) {
  const uint64_t bus = host_pages();
  start(0);
  for (uint64_t tag = 1; tag <= 20; ++tag) {
    push(0, nops(1, tag));
    push(0, signal(bus, tag, false));
  }
  std::atomic_ref value(host<kawara_signal>(bus).value);
  std::atomic_ref tag(host<kawara_signal>(bus).tag);
  ring(0);
  uint64_t last = 0;
  ASSERT_TRUE(wait_until([&] {
    for (int look = 0; look < 100; ++look) {
      const uint64_t seen = value.load(std::memory_order_acquire);
      EXPECT_GE(seen, last);
      EXPECT_GE(tag.load(std::memory_order_relaxed), seen);
      last = seen;
    }
    return last == 20;
  }));
}

TEST_F(QueueTest, ASignalMayBeSilentAndMayNotSendTheManagementVector) {
  const uint64_t bus = host_pages();
  start(0);
  submit(0, signal(bus, 1, false));
  ASSERT_TRUE(wait_for_head(0, 1));
  write_queue(0, KAWARA_QUEUE_CONTROL, KAWARA_QUEUE_CONTROL_ENABLE | KAWARA_PUT(QUEUE_CONTROL_VECTOR, KAWARA_VECTOR_MANAGEMENT));
  submit(0, signal(bus, 2));
  push(0, nop());
  ring(0);
  ASSERT_TRUE(wait_for_head(0, 3));
  EXPECT_EQ(host<kawara_signal>(bus).value, 2u);
  EXPECT_EQ(interrupts(0), 0u);
  EXPECT_EQ(interrupts(KAWARA_VECTOR_MANAGEMENT), 0u);
}

TEST_F(QueueTest, ClearsLocalMemoryBeforeWhatFollows) {
  std::ranges::fill(chip->local().first(0x4000), std::byte{0xcc});
  const uint64_t bus = host_pages();
  start(0);
  push(0, clear(0x1000, 0x2000));
  submit(0, signal(bus, 1, false));
  ASSERT_TRUE(wait_until([&] { return std::atomic_ref(host<kawara_signal>(bus).value).load() == 1; }));
  EXPECT_EQ(chip->local()[0xfff], std::byte{0xcc});
  EXPECT_EQ(chip->local()[0x1000], std::byte{0});
  EXPECT_EQ(chip->local()[0x2fff], std::byte{0});
  EXPECT_EQ(chip->local()[0x3000], std::byte{0xcc});
}

TEST_F(QueueTest, TwoQueuesShareTheChipByPriority) {
  std::vector<uint64_t> order;
  on_run([&](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(200);
    while (std::chrono::steady_clock::now() < until) progress.work();
    return retire_all(job, begin, end, progress);
  });
  chip->write(KAWARA_GLOBAL_CONTROL, 0);
  start(0, 0);
  start(1, 3);
  const kawara_packet packet = nops(1);
  for (int i = 0; i < 60; ++i) push(0, packet), push(1, packet);
  ring(0);
  ring(1);
  chip->write(KAWARA_GLOBAL_CONTROL, KAWARA_GLOBAL_CONTROL_RUN);
  ASSERT_TRUE(wait_for_head(1, 60));
  const uint32_t light = queue(0, KAWARA_QUEUE_HEAD);
  EXPECT_GE(light, 2u) << "nobody starves";
  EXPECT_LE(light, 30u) << "8 to 1, with room for a busy machine";
  EXPECT_TRUE(wait_for_head(0, 60));
}

TEST_F(QueueTest, RegistersMayBeReadFromAnInterrupt) {
  uint32_t head = 0;
  std::atomic<bool> came = false;
  HostMemory memory2;
  struct alignas(4096) Page {
    std::byte bytes[8192] = {};
  };
  auto page = std::make_unique<Page>();
  memory2.insert(0x10000, page->bytes);
  constexpr kawara_config config{.name = "",
                                 .local_mib = 1,
                                 .sram_kib = 4,
                                 .me_rows = 1,
                                 .me_columns = 1,
                                 .ve_lanes = 1,
                                 .clock_mhz = 1,
                                 .local_gb_s = 1,
                                 .sram_gb_s = 1,
                                 .pcie_gb_s = 1,
                                 .features = KAWARA_GLOBAL_FEATURES_LIMIT};
  Chip* other = nullptr;
  Chip chip2(
      config, memory2, [](auto, auto) { return Execute(); },
      [&](unsigned) {
        head = other->read(KAWARA_REGISTER(QUEUE, 0, HEAD));
        other->write(KAWARA_REGISTER(QUEUE, 0, RESET), 1);
        came = true;
      });
  other = &chip2;
  const kawara_packet packet = signal(0x11000, 1);
  std::memcpy(page->bytes, &packet, sizeof(packet));
  chip2.write(KAWARA_REGISTER(QUEUE, 0, RING_BASE_LO), 0x10000);
  chip2.write(KAWARA_REGISTER(QUEUE, 0, RING_SIZE), 4);
  chip2.write(KAWARA_REGISTER(QUEUE, 0, CONTROL), KAWARA_QUEUE_CONTROL_ENABLE);
  chip2.write(KAWARA_REGISTER(GLOBAL, 0, CONTROL), KAWARA_GLOBAL_CONTROL_RUN);
  chip2.write(KAWARA_REGISTER(QUEUE, 0, TAIL), 1);
  ASSERT_TRUE(wait_until([&] { return came.load(); }));
  EXPECT_EQ(head, 1u);
  EXPECT_EQ(chip2.read(KAWARA_REGISTER(QUEUE, 0, STATE)), KAWARA_QUEUE_DISABLED);
}

}  // namespace
}  // namespace kawara::emulator
