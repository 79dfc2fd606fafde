// SPDX-License-Identifier: Apache-2.0
// Queue reset, device reset, and the hangs that need them.
#include <algorithm>

#include "emulator/chip/chip_bench.h"

namespace kawara::emulator {
namespace {

using namespace std::chrono_literals;

class ResetTest : public ChipBench {
 protected:
  // Jobs that run until they are aborted, and then go on writing for a moment, as an engine does that ends its slice.
  void run_until_aborted() {
    on_run([this](const Job&, uint32_t, uint32_t, const Progress& progress) {
      started = true;
      while (!progress.aborted()) {
        ++writes;
        progress.work();
        std::this_thread::sleep_for(50us);
      }
      std::this_thread::sleep_for(2ms);
      ++writes;
      return Health{};
    });
  }

  std::atomic<bool> started = false;
  std::atomic<uint32_t> writes = 0;
};

TEST_F(ResetTest, StopsTheJobThatRunsAndKeepsHead) {
  run_until_aborted();
  const uint64_t bus = host_pages();
  start(0);
  push(0, nop());
  push(0, nops(1));
  submit(0, signal(bus, 1));
  ASSERT_TRUE(wait_until([&] { return started.load(); }));
  write_queue(0, KAWARA_QUEUE_RESET, 1);
  EXPECT_EQ(state(0), KAWARA_QUEUE_RESETTING);
  ASSERT_TRUE(wait_until([&] { return state(0) == KAWARA_QUEUE_DISABLED; }, 500ms));
  const uint32_t last = writes;
  EXPECT_EQ(queue(0, KAWARA_QUEUE_HEAD), 1u);
  EXPECT_EQ(queue(0, KAWARA_QUEUE_CONTROL) & KAWARA_QUEUE_CONTROL_ENABLE, 0u);
  std::this_thread::sleep_for(3ms);
  EXPECT_EQ(writes, last) << "nothing of the queue writes any more";
  EXPECT_EQ(record().status, 0u);
  EXPECT_EQ(host<kawara_signal>(bus).value, 0u);
  EXPECT_EQ(interrupts(0), 0u);
  EXPECT_EQ(fault(0), ShownFault{}) << "a reset is no fault";
}

TEST_F(ResetTest, EnablingDuringAResetIsLost) {
  run_until_aborted();
  start(0);
  submit(0, nops(1));
  ASSERT_TRUE(wait_until([&] { return started.load(); }));
  write_queue(0, KAWARA_QUEUE_RESET, 1);
  write_queue(0, KAWARA_QUEUE_CONTROL, KAWARA_QUEUE_CONTROL_ENABLE);
  EXPECT_TRUE(wait_until([&] { return state(0) == KAWARA_QUEUE_DISABLED; }));
}

TEST_F(ResetTest, ASleepingQueueIsResetAtOnce) {
  start(0);
  write_queue(0, KAWARA_QUEUE_RESET, 0);
  EXPECT_EQ(state(0), KAWARA_QUEUE_IDLE);
  write_queue(0, KAWARA_QUEUE_RESET, 1);
  EXPECT_EQ(state(0), KAWARA_QUEUE_DISABLED);
}

TEST_F(ResetTest, AnotherQueueIsResetWhileAJobRuns) {
  run_until_aborted();
  start(0);
  start(1);
  submit(0, nops(1));
  ASSERT_TRUE(wait_until([&] { return started.load(); }));
  submit(1, nop());
  write_queue(1, KAWARA_QUEUE_RESET, 1);
  EXPECT_EQ(state(1), KAWARA_QUEUE_DISABLED);
  EXPECT_EQ(queue(1, KAWARA_QUEUE_HEAD), 0u);
  EXPECT_EQ(state(0), KAWARA_QUEUE_RUNNING);
}

TEST_F(ResetTest, AnInjectedHangRunsWhatCameBeforeAndThenStandsStill) {
  std::atomic<uint32_t> end = 0;
  on_run([&](const Job& job, uint32_t begin, uint32_t count, const Progress& progress) {
    end = count;
    return retire_all(job, begin, count, progress);
  });
  start(2);
  hang(2, 3);
  submit(2, nops(2));  // it has no command 3
  ASSERT_TRUE(wait_for_head(2, 1));
  submit(2, nops(6));
  ASSERT_TRUE(wait_until([&] { return queue(2, KAWARA_QUEUE_COMMAND) == 2 * 32; }));
  EXPECT_EQ(end, 3u);
  const uint32_t work = queue(2, KAWARA_QUEUE_WORK);
  std::this_thread::sleep_for(3ms);
  EXPECT_EQ(state(2), KAWARA_QUEUE_RUNNING);
  EXPECT_EQ(queue(2, KAWARA_QUEUE_WORK), work);
  EXPECT_EQ(queue(2, KAWARA_QUEUE_HEAD), 1u);
  EXPECT_EQ(chip->read(KAWARA_REGISTER(TEST, 0, HANG)) & KAWARA_TEST_HANG_ARM, 0u) << "it fires once";
}

TEST_F(ResetTest, OthersGoOnBesideAHungQueueButTheirJobsWaitForItsReset) {
  start(0);
  start(1);
  hang(0, 0);
  submit(0, nops(1));
  ASSERT_TRUE(wait_until([&] { return (chip->read(KAWARA_REGISTER(TEST, 0, HANG)) & KAWARA_TEST_HANG_ARM) == 0; }));
  const uint64_t bus = host_pages();
  submit(1, signal(bus, 1));
  ASSERT_TRUE(wait_until([&] { return interrupts(1) == 1; }));
  submit(1, nops(1, 7));
  std::this_thread::sleep_for(2ms);
  EXPECT_EQ(state(1), KAWARA_QUEUE_READY);
  EXPECT_EQ(record().status, 0u);
  write_queue(0, KAWARA_QUEUE_RESET, 1);
  EXPECT_TRUE(wait_until([&] { return state(0) == KAWARA_QUEUE_DISABLED; }));
  EXPECT_EQ(queue(0, KAWARA_QUEUE_HEAD), 0u);
  EXPECT_TRUE(wait_for_head(1, 2));
  EXPECT_EQ(record().tag, 7u);
  restart_after_reset(0);
  submit(0, nops(1));
  EXPECT_TRUE(wait_for_head(0, 1)) << "the queue works again";
}

TEST_F(ResetTest, ADeviceResetAbortsTheJobThatRuns) {
  run_until_aborted();
  start(0);
  start(1);
  chip->local()[100] = std::byte{9};
  submit(0, nops(1));
  ASSERT_TRUE(wait_until([&] { return started.load(); }));
  chip->write(KAWARA_GLOBAL_RESET, KAWARA_RESET_KEY);
  EXPECT_TRUE(wait_until([&] { return global(KAWARA_GLOBAL_STATUS) == (KAWARA_GLOBAL_STATUS_READY | KAWARA_GLOBAL_STATUS_IDLE); }, 500ms));
  for (unsigned number : {0u, 1u}) {
    EXPECT_EQ(state(number), KAWARA_QUEUE_DISABLED);
    EXPECT_EQ(queue(number, KAWARA_QUEUE_RING_BASE_LO), 0u);
  }
  EXPECT_EQ(chip->read(KAWARA_REGISTER(CONTEXT, kContext, ROOT_LO)), 0u);
  EXPECT_EQ(global(KAWARA_GLOBAL_INTERRUPT_MASK), ~0u);
  EXPECT_EQ(record().status, 0u);
  EXPECT_EQ(chip->local()[100], std::byte{9}) << "local memory survives";
}

TEST_F(ResetTest, ADeviceResetEndsAHang) {
  start(0);
  hang(0, 0);
  submit(0, nops(1));
  ASSERT_TRUE(wait_until([&] { return (chip->read(KAWARA_REGISTER(TEST, 0, HANG)) & KAWARA_TEST_HANG_ARM) == 0; }));
  chip->write(KAWARA_GLOBAL_RESET, KAWARA_RESET_KEY);
  ASSERT_TRUE(wait_until([&] { return global(KAWARA_GLOBAL_STATUS) != 0; }));
  chip->write(KAWARA_GLOBAL_CONTROL, KAWARA_GLOBAL_CONTROL_RUN);
  set_root(kContext, root() | KAWARA_CONTEXT_ROOT_LO_VALID);
  start(1);
  submit(1, nops(1));
  EXPECT_TRUE(wait_for_head(1, 1));
}

TEST_F(ResetTest, TheChipEndsWhileAJobRuns) {
  run_until_aborted();
  start(0);
  push(0, nops(1));
  submit(0, nops(1));
  ASSERT_TRUE(wait_until([&] { return started.load(); }));
  chip.reset();
  EXPECT_EQ(record().status, 0u);
}

}  // namespace
}  // namespace kawara::emulator
