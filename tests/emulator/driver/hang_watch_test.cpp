// SPDX-License-Identifier: Apache-2.0
#include "emulator/driver/hang_watch.h"

#include <gtest/gtest.h>

#include "kawara/hw/hw.h"

namespace kawara::emulator {
namespace {

using namespace std::chrono_literals;

constexpr HangWatch::Time kStart{};

RingSight running(uint32_t work, std::chrono::milliseconds timeout = 60s) {
  return {.job = 5, .signalled = 4, .state = KAWARA_QUEUE_RUNNING, .work = work, .timeout = timeout};
}

TEST(HangWatch, EndsAQueueWhoseWorkStandsStill) {
  HangWatch watch;
  EXPECT_EQ(watch.look(running(1), kStart), Verdict::wait);
  EXPECT_EQ(watch.look(running(1), kStart + 900ms), Verdict::wait);
  EXPECT_EQ(watch.look(running(1), kStart + 1100ms), Verdict::reset_queue);
}

TEST(HangWatch, WaitsWhileWorkMovesUpToTheTimeout) {
  HangWatch watch;
  for (uint32_t second = 0; second <= 10; ++second) {
    EXPECT_EQ(watch.look(running(second, 10s), kStart + second * 1s), Verdict::wait) << second;
  }
  EXPECT_EQ(watch.look(running(11, 10s), kStart + 11s), Verdict::reset_queue);
}

TEST(HangWatch, WaitsForAQueueThatWaitsForTheChip) {
  HangWatch watch;
  RingSight ready = running(1, 1s);
  ready.state = KAWARA_QUEUE_READY;
  EXPECT_EQ(watch.look(ready, kStart), Verdict::wait);
  EXPECT_EQ(watch.look(ready, kStart + 100s), Verdict::wait);
}

TEST(HangWatch, StartsAgainWithTheNextJob) {
  HangWatch watch;
  watch.look(running(1), kStart);
  RingSight next = running(1);
  next.job = 6;
  EXPECT_EQ(watch.look(next, kStart + 1100ms), Verdict::wait);
}

TEST(HangWatch, BelievesTheSignalFirst) {
  HangWatch watch;
  RingSight signalled = running(1);
  signalled.signalled = 5;
  signalled.state = ~0u;
  EXPECT_EQ(watch.look(signalled, kStart), Verdict::complete);
}

TEST(HangWatch, SeesAFaultWhoseInterruptWasLostAndAChipThatIsGone) {
  HangWatch watch;
  RingSight sight = running(1);
  sight.state = KAWARA_QUEUE_FAULTED;
  EXPECT_EQ(watch.look(sight, kStart), Verdict::reset_queue);
  sight.state = ~0u;
  EXPECT_EQ(watch.look(sight, kStart), Verdict::gone);
}

}  // namespace
}  // namespace kawara::emulator
