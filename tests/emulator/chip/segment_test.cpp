// SPDX-License-Identifier: Apache-2.0
// Segments: where a job may be set aside for another queue's, and what holds while it stands there.
#include <algorithm>

#include "emulator/chip/chip_bench.h"

namespace kawara::emulator {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr uint64_t kLocal = 0x1000'0000;

class SegmentTest : public ChipBench {
 protected:
  // nops, with a switch point on each that `switches` says.
  kawara_packet job_of(uint32_t count, const std::function<bool(uint32_t)>& switches, uint64_t tag, uint32_t context = kContext) {
    std::vector<std::byte> commands;
    for (uint32_t index = 0; index < count; ++index) {
      auto body = hw::blank<kawara_nop>();
      body.header.debug_id = static_cast<uint32_t>(tag);
      if (switches(index)) body.header.flags |= KAWARA_HEADER_SWITCH_POINT;
      const auto bytes = hw::encode(body);
      commands.insert(commands.end(), bytes.begin(), bytes.end());
    }
    kawara_packet packet = job(commands, {}, tag);
    packet.word[0] = KAWARA_PACKET_RUN | KAWARA_PUT(RUN_CONTEXT, context);
    return packet;
  }
  static bool always(uint32_t) { return true; }
  static bool never(uint32_t) { return false; }
  // Every execution is noted by its job's tag (which its commands carry), and takes the same time.
  void note_segments(std::chrono::microseconds time) {
    on_run([this, time](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
      const auto tag = reinterpret_cast<const kawara_header*>(job.commands.data())->debug_id;
      {
        const std::lock_guard lock(notes_mutex);
        notes.push_back(tag);
        ranges.emplace_back(begin, end);
      }
      std::this_thread::sleep_for(time);
      if (progress.aborted()) return Health{};
      retire_all(job, begin, end, progress);
      return Health{.nan = end - begin, .inf = 0, .saturated = 0, .dropped = 0};
    });
  }
  size_t noted(uint32_t tag) {
    const std::lock_guard lock(notes_mutex);
    return static_cast<size_t>(std::ranges::count(notes, tag));
  }
  size_t noted() {
    const std::lock_guard lock(notes_mutex);
    return notes.size();
  }
  // The chip fetches nothing until run(): so that queues start together.
  void pause() { chip->write(KAWARA_REGISTER(GLOBAL, 0, CONTROL), 0); }
  void run() { chip->write(KAWARA_REGISTER(GLOBAL, 0, CONTROL), KAWARA_GLOBAL_CONTROL_RUN); }

  std::mutex notes_mutex;
  std::vector<uint32_t> notes;
  std::vector<std::pair<uint32_t, uint32_t>> ranges;
};

TEST_F(SegmentTest, EachIsRunByItselfAndTheRecordCountsAll) {
  note_segments(0us);
  start(0);
  submit(0, job_of(7, [](uint32_t index) { return index == 1 || index == 4; }, 9));
  ASSERT_TRUE(wait_for_head(0, 1));
  EXPECT_THAT(ranges, ElementsAre(std::pair(0u, 2u), std::pair(2u, 5u), std::pair(5u, 7u)));
  EXPECT_EQ(record().status, 1u);
  EXPECT_EQ(record().commands, 7u);
  EXPECT_EQ(record().nan, 7u) << "health of all segments together";
  EXPECT_EQ(queue(0, KAWARA_QUEUE_COMMAND), 6u * 32);
}

TEST_F(SegmentTest, ASwitchPointOnTheLastCommandStartsNoFurtherSegment) {
  note_segments(0us);
  start(0);
  submit(0, job_of(2, always, 9));
  ASSERT_TRUE(wait_for_head(0, 1));
  EXPECT_THAT(ranges, ElementsAre(std::pair(0u, 1u), std::pair(1u, 2u)));
}

TEST_F(SegmentTest, OfTwoQueuesAlternateByWeight) {
  note_segments(300us);
  start(0, 2);  // weight 4
  start(1, 0);  // weight 1
  set_root(4, root() | KAWARA_CONTEXT_ROOT_LO_VALID);
  pause();
  submit(0, job_of(40, always, 100));
  submit(1, job_of(40, always, 101, 4));
  run();
  ASSERT_TRUE(wait_until([&] { return noted(100) == 40; }));
  const size_t light = noted(101);
  EXPECT_NEAR(static_cast<double>(light), 10, 1) << "a quarter of the heavier one's, whatever time they took";
  EXPECT_TRUE(wait_for_head(1, 1));
  EXPECT_EQ(noted(101), 40u);
}

TEST_F(SegmentTest, AJobWithoutSwitchPointsIsNotInterrupted) {
  std::atomic<bool> started = false;
  on_run([&](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    const auto tag = reinterpret_cast<const kawara_header*>(job.commands.data())->debug_id;
    started = true;
    for (uint32_t command = begin; command < end; ++command) {
      const std::lock_guard lock(notes_mutex);
      notes.push_back(tag);
      std::this_thread::sleep_for(100us);
    }
    return retire_all(job, begin, end, progress);
  });
  start(0, 0);
  start(1, 3);
  submit(0, job_of(20, never, 100));
  ASSERT_TRUE(wait_until([&] { return started.load(); }));
  submit(1, job_of(1, never, 101));
  ASSERT_TRUE(wait_for_head(1, 1));
  EXPECT_EQ(std::ranges::find(notes, 101u) - notes.begin(), 20) << "the heavier queue waited for the end";
}

TEST_F(SegmentTest, ASuspendedJobShowsReadyAndItsContext) {
  std::atomic<bool> go_on = false;
  on_run([&](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    if (reinterpret_cast<const kawara_header*>(job.commands.data())->debug_id == 101) wait_until([&] { return go_on.load(); });
    return retire_all(job, begin, end, progress);
  });
  start(0);
  start(1);
  pause();
  submit(0, job_of(2, always, 100));
  submit(1, job_of(1, never, 101));
  run();
  ASSERT_TRUE(wait_until([&] { return state(1) == KAWARA_QUEUE_RUNNING && state(0) == KAWARA_QUEUE_READY; }));
  EXPECT_EQ(queue(0, KAWARA_QUEUE_STATE), KAWARA_PUT(QUEUE_STATE_CONTEXT, kContext) | KAWARA_QUEUE_READY);
  // Neither stops a job that has started: not ENABLE clear, not a wrong doorbell.
  write_queue(0, KAWARA_QUEUE_CONTROL, 0);
  EXPECT_EQ(state(0), KAWARA_QUEUE_READY);
  go_on = true;
  EXPECT_TRUE(wait_for_head(0, 1));
  EXPECT_TRUE(wait_until([&] { return state(0) == KAWARA_QUEUE_DISABLED; }));
}

TEST_F(SegmentTest, AWrongDoorbellDuringASuspensionFaultsBehindTheJob) {
  std::atomic<bool> go_on = false;
  on_run([&](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    if (reinterpret_cast<const kawara_header*>(job.commands.data())->debug_id == 101) wait_until([&] { return go_on.load(); });
    return retire_all(job, begin, end, progress);
  });
  start(0);
  start(1);
  pause();
  submit(0, job_of(2, always, 100));
  submit(1, job_of(1, never, 101));
  run();
  ASSERT_TRUE(wait_until([&] { return state(1) == KAWARA_QUEUE_RUNNING && state(0) == KAWARA_QUEUE_READY; }));
  write_queue(0, KAWARA_QUEUE_TAIL, 1000);
  go_on = true;
  EXPECT_EQ(wait_for_fault(0).code, KAWARA_FAULT_bad_doorbell);
  EXPECT_EQ(queue(0, KAWARA_QUEUE_HEAD), 1u) << "the job ended first";
}

// A job that is suspended for good: the segment of queue 1's job does not end until told so.
class SuspendedTest : public SegmentTest {
 protected:
  void suspend_first() {
    on_run([this](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
      const auto tag = reinterpret_cast<const kawara_header*>(job.commands.data())->debug_id;
      if (tag == 101) wait_until([&] { return go_on.load() || progress.aborted(); });
      {
        const std::lock_guard lock(notes_mutex);
        notes.push_back(tag);
      }
      return retire_all(job, begin, end, progress);
    });
    start(0);
    start(1);
    set_root(4, root() | KAWARA_CONTEXT_ROOT_LO_VALID);
    pause();
    submit(0, job_of(3, always, 100));
    first_record = &record();
    submit(1, job_of(1, never, 101, 4));
    run();
    ASSERT_TRUE(wait_until([&] { return state(1) == KAWARA_QUEUE_RUNNING && state(0) == KAWARA_QUEUE_READY; }));
  }
  std::atomic<bool> go_on = false;
  kawara_record* first_record = nullptr;
};

TEST_F(SuspendedTest, InvalidationOfItsContextWaitsForItsEnd) {
  suspend_first();
  const uint32_t mine = KAWARA_REGISTER(CONTEXT, kContext, INVALIDATE);
  chip->write(mine, 1);
  EXPECT_EQ(chip->read(mine), 1u);
  go_on = true;
  EXPECT_TRUE(wait_until([&] { return chip->read(mine) == 0; }));
  EXPECT_EQ(queue(0, KAWARA_QUEUE_HEAD), 1u);
}

TEST_F(SuspendedTest, ResetOfItsQueueDropsItAtOnceAndLeavesTheOtherAlone) {
  suspend_first();
  write_queue(0, KAWARA_QUEUE_RESET, 1);
  EXPECT_EQ(state(0), KAWARA_QUEUE_DISABLED);
  EXPECT_EQ(queue(0, KAWARA_QUEUE_HEAD), 0u);
  const uint32_t mine = KAWARA_REGISTER(CONTEXT, kContext, INVALIDATE);
  chip->write(mine, 1);
  EXPECT_EQ(chip->read(mine), 0u) << "nothing of the job is left to wait for";
  go_on = true;
  ASSERT_TRUE(wait_for_head(1, 1));
  EXPECT_EQ(record().status, 1u);
  EXPECT_EQ(first_record->status, 0u);
  EXPECT_EQ(noted(100), 1u) << "no further segment ran";
  restart_after_reset(0);
  submit(0, job_of(2, always, 102));
  EXPECT_TRUE(wait_for_head(0, 1)) << "from the start, not where the dropped job stood";
  EXPECT_EQ(noted(102), 2u);
}

TEST_F(SuspendedTest, ResetOfTheOtherQueueLetsItGoOn) {
  suspend_first();
  write_queue(1, KAWARA_QUEUE_RESET, 1);
  ASSERT_TRUE(wait_until([&] { return state(1) == KAWARA_QUEUE_DISABLED; }));
  ASSERT_TRUE(wait_for_head(0, 1));
  EXPECT_EQ(first_record->status, 1u);
  EXPECT_EQ(noted(100), 3u);
}

TEST_F(SuspendedTest, DeviceResetForgetsIt) {
  suspend_first();
  chip->write(KAWARA_GLOBAL_RESET, KAWARA_RESET_KEY);
  ASSERT_TRUE(wait_until([&] { return global(KAWARA_GLOBAL_STATUS) != 0; }));
  EXPECT_EQ(first_record->status, 0u);
  go_on = true;
  run();
  set_root(kContext, root() | KAWARA_CONTEXT_ROOT_LO_VALID);
  start(0);
  submit(0, job_of(2, always, 102));
  ASSERT_TRUE(wait_for_head(0, 1));
  EXPECT_EQ(noted(102), 2u);
  EXPECT_EQ(noted(100), 1u);
}

TEST_F(SuspendedTest, TheChipEndsAround) {
  suspend_first();
  chip.reset();
  EXPECT_EQ(first_record->status, 0u);
}

TEST_F(SegmentTest, AHangInALaterSegmentKeepsTheOtherJobSuspendedUntilItsReset) {
  note_segments(200us);
  start(0);
  start(1);
  set_root(4, root() | KAWARA_CONTEXT_ROOT_LO_VALID);
  hang(0, 2);
  pause();
  submit(0, job_of(5, always, 100));
  kawara_record& hung = record();
  submit(1, job_of(30, always, 101, 4));
  run();
  ASSERT_TRUE(wait_until([&] { return noted(100) == 2 && state(0) == KAWARA_QUEUE_RUNNING && state(1) == KAWARA_QUEUE_READY; }));
  std::this_thread::sleep_for(5ms);
  const size_t before = noted();
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(noted(), before) << "the engines are taken";
  EXPECT_EQ(queue(0, KAWARA_QUEUE_COMMAND), 32u);
  write_queue(0, KAWARA_QUEUE_RESET, 1);
  ASSERT_TRUE(wait_for_head(1, 1));
  EXPECT_EQ(noted(101), 30u) << "each segment ran once";
  EXPECT_EQ(record().status, 1u);
  EXPECT_EQ(hung.status, 0u);
}

// Each segment of each job finds SRAM empty of the other context's bytes.
TEST_F(SegmentTest, NoByteOfSramPassesFromOneContextToAnother) {
  map(kLocal, 0, kReadWrite | KAWARA_PTE_LOCAL);
  std::atomic<unsigned> leaks = 0, cleared = 0;
  on_run([&](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    const auto tag = static_cast<std::byte>(reinterpret_cast<const kawara_header*>(job.commands.data())->debug_id);
    std::byte& last = job.regions[1].data[63];
    if (last != std::byte{0} && last != tag) ++leaks;
    if (last == std::byte{0}) ++cleared;
    last = tag;
    std::this_thread::sleep_for(200us);
    return retire_all(job, begin, end, progress);
  });
  const kawara_region regions[] = {region(kLocal, 64), region(128, 64, KAWARA_REGION_SRAM | KAWARA_REGION_READ | KAWARA_REGION_WRITE)};
  const auto vectors = [&](uint8_t tag, uint32_t context) {
    std::vector<std::byte> commands;
    for (int i = 0; i < 5; ++i) {
      auto command = vector_command(tag);
      reinterpret_cast<kawara_header*>(command.data())->flags |= KAWARA_HEADER_SWITCH_POINT;
      commands.insert(commands.end(), command.begin(), command.end());
    }
    kawara_packet packet = job(commands, regions, tag);
    packet.word[0] = KAWARA_PACKET_RUN | KAWARA_PUT(RUN_CONTEXT, context);
    return packet;
  };
  set_root(4, root() | KAWARA_CONTEXT_ROOT_LO_VALID);
  start(0);
  start(1);
  pause();
  submit(0, vectors(17, kContext));
  submit(1, vectors(18, 4));
  run();
  ASSERT_TRUE(wait_for_head(0, 1)) << fault(0).code;
  ASSERT_TRUE(wait_for_head(1, 1)) << fault(1).code;
  EXPECT_EQ(leaks, 0u);
  EXPECT_GE(cleared, 4u) << "they took turns";
}

}  // namespace
}  // namespace kawara::emulator
