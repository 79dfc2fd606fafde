// SPDX-License-Identifier: Apache-2.0
#include "kawara/hw/recovery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace kawara {
namespace {

constexpr uint64_t kTimes[] = {0, 1, 499, 500, 501, 999, 1000, 1001, 9'999, 10'000, 10'001, 59'999, 60'000, 60'001, 600'001, ~0ull};
constexpr uint64_t kTimeouts[] = {0, 1, 1000, 10'000, 60'000, 600'000};

// Every state with every context in one bit pattern or another, and all ones.
std::vector<uint32_t> states() {
  std::vector<uint32_t> all;
  for (uint32_t state = 0; state < 8; ++state)
    for (const uint32_t rest : {0u, 0x00000300u, 0x00ffff00u}) all.push_back(state | rest);
  all.push_back(0xffffffff);
  return all;
}

template <typename Visit>
void for_each_evidence(Visit visit) {
  for (const int signalled : {0, 1})
    for (const uint32_t state : states())
      for (const uint64_t state_ms : kTimes)
        for (const uint64_t still_ms : kTimes)
          for (const uint64_t timeout : kTimeouts)
            visit(
                kawara_evidence{.signalled = signalled, .state = state, .state_ms = state_ms, .still_ms = still_ms, .timeout_ms = timeout});
}

kawara_verdict judge(const kawara_evidence& seen) { return kawara_judge(&seen); }

void PrintTo(const kawara_evidence& seen, std::ostream* out) {
  *out << "signalled " << seen.signalled << " state " << std::hex << seen.state << std::dec << " for " << seen.state_ms << " still "
       << seen.still_ms << " timeout " << seen.timeout_ms;
}

std::string shown(const kawara_evidence& seen) {
  std::ostringstream text;
  PrintTo(seen, &text);
  return text.str();
}

TEST(Verdict, TheSignalIsBelievedFirst) {
  for_each_evidence(
      [](const kawara_evidence& seen) { ASSERT_EQ(judge(seen) == KAWARA_VERDICT_COMPLETE, seen.signalled != 0) << shown(seen); });
}

TEST(Verdict, AllOnesIsGoneAndNothingElseIs) {
  for_each_evidence([](const kawara_evidence& seen) {
    if (seen.signalled) return;
    ASSERT_EQ(judge(seen) == KAWARA_VERDICT_GONE, seen.state == 0xffffffff) << shown(seen);
  });
}

TEST(Verdict, TheContextOfTheJobDoesNotMatter) {
  for_each_evidence([](kawara_evidence seen) {
    if (seen.state == 0xffffffff) return;
    const kawara_verdict with = judge(seen);
    seen.state &= 7;
    ASSERT_EQ(judge(seen), with) << shown(seen);
  });
}

TEST(Verdict, ReadyWaitsForEver) {
  for_each_evidence([](const kawara_evidence& seen) {
    if (seen.signalled || seen.state != KAWARA_QUEUE_READY) return;
    ASSERT_EQ(judge(seen), KAWARA_VERDICT_WAIT) << shown(seen);
  });
}

TEST(Verdict, AQueueThatRunsIsResetWhenItsWorkStandsStillOrItsTimeIsOver) {
  for_each_evidence([](const kawara_evidence& seen) {
    if (seen.signalled || seen.state != KAWARA_QUEUE_RUNNING) return;
    const bool over = seen.still_ms > 1000 || seen.state_ms > seen.timeout_ms;
    ASSERT_EQ(judge(seen), over ? KAWARA_VERDICT_RESET_QUEUE : KAWARA_VERDICT_WAIT) << shown(seen);
  });
}

TEST(Verdict, AFaultIsResetAtOnce) {
  for_each_evidence([](const kawara_evidence& seen) {
    if (seen.signalled || seen.state != KAWARA_QUEUE_FAULTED) return;
    ASSERT_EQ(judge(seen), KAWARA_VERDICT_RESET_QUEUE) << shown(seen);
  });
}

TEST(Verdict, AQueueThatSaysItHasNothingToDoIsDoubtedAfterAWhile) {
  for_each_evidence([](const kawara_evidence& seen) {
    if (seen.signalled || (seen.state != KAWARA_QUEUE_IDLE && seen.state != KAWARA_QUEUE_DISABLED)) return;
    ASSERT_EQ(judge(seen), seen.state_ms > 1000 ? KAWARA_VERDICT_RESET_DEVICE : KAWARA_VERDICT_WAIT) << shown(seen);
  });
}

TEST(Verdict, AResetHasHalfASecond) {
  for_each_evidence([](const kawara_evidence& seen) {
    if (seen.signalled || seen.state != KAWARA_QUEUE_RESETTING) return;
    ASSERT_EQ(judge(seen), seen.state_ms > 500 ? KAWARA_VERDICT_RESET_DEVICE : KAWARA_VERDICT_WAIT) << shown(seen);
  });
}

TEST(Verdict, StatesThatDoNotExistResetTheDevice) {
  for_each_evidence([](const kawara_evidence& seen) {
    if (seen.signalled || seen.state == 0xffffffff || (seen.state & 7) < 6) return;
    ASSERT_EQ(judge(seen), KAWARA_VERDICT_RESET_DEVICE) << shown(seen);
  });
}

TEST(Verdict, TimeNeverMakesItMilderAndATimeoutNeverHarder) {
  for_each_evidence([](kawara_evidence seen) {
    const kawara_verdict before = judge(seen);
    for (const uint64_t later : kTimes) {
      kawara_evidence older = seen;
      older.state_ms = std::max(seen.state_ms, later);
      ASSERT_GE(judge(older), before) << shown(older);
      older.still_ms = std::max(seen.still_ms, later);
      ASSERT_GE(judge(older), before) << shown(older);
    }
    for (const uint64_t longer : kTimeouts) {
      kawara_evidence patient = seen;
      patient.timeout_ms = std::max(seen.timeout_ms, longer);
      ASSERT_LE(judge(patient), before) << shown(patient);
    }
  });
}

TEST(ResetVerdict, EndsWithDisabledAndWaitsHalfASecondForIt) {
  for (const uint32_t state : states())
    for (const uint64_t elapsed : kTimes) {
      const kawara_verdict verdict = kawara_reset_verdict(state, elapsed);
      if (state == 0xffffffff) {
        EXPECT_EQ(verdict, KAWARA_VERDICT_GONE);
      } else if ((state & 7) == KAWARA_QUEUE_DISABLED) {
        EXPECT_EQ(verdict, KAWARA_VERDICT_COMPLETE) << "even after " << elapsed;
      } else {
        EXPECT_EQ(verdict, elapsed > 500 ? KAWARA_VERDICT_RESET_DEVICE : KAWARA_VERDICT_WAIT) << state << " " << elapsed;
      }
    }
}

class Watch : public testing::Test {
 protected:
  kawara_sight sight{.job = 5, .signalled = 4, .state = KAWARA_QUEUE_RUNNING, .work = 1, .timeout_ms = 60'000};
  kawara_verdict look(uint64_t now_ms) { return kawara_watch_look(&watch, &sight, now_ms); }

 private:
  kawara_watch watch{};
};

TEST_F(Watch, EndsAQueueWhoseWorkStandsStill) {
  EXPECT_EQ(look(7'000'000), KAWARA_VERDICT_WAIT);
  EXPECT_EQ(look(7'000'900), KAWARA_VERDICT_WAIT);
  EXPECT_EQ(look(7'001'100), KAWARA_VERDICT_RESET_QUEUE);
}

TEST_F(Watch, WaitsWhileWorkMovesUpToTheTimeout) {
  sight.timeout_ms = 10'000;
  for (uint32_t second = 0; second <= 10; ++second) {
    sight.work = second;
    EXPECT_EQ(look(second * 1000), KAWARA_VERDICT_WAIT) << second;
  }
  sight.work = 11;
  EXPECT_EQ(look(11'000), KAWARA_VERDICT_RESET_QUEUE);
}

TEST_F(Watch, CountsNoTimeThatTheQueueWaitedForTheChip) {
  sight.timeout_ms = 1000;
  sight.state = KAWARA_QUEUE_READY;
  EXPECT_EQ(look(0), KAWARA_VERDICT_WAIT);
  EXPECT_EQ(look(100'000), KAWARA_VERDICT_WAIT);
  sight.state = KAWARA_QUEUE_RUNNING;
  EXPECT_EQ(look(101'000), KAWARA_VERDICT_WAIT);
  EXPECT_EQ(look(102'001), KAWARA_VERDICT_RESET_QUEUE);
}

TEST_F(Watch, StartsAgainWithTheNextJob) {
  look(0);
  sight.job = 6;
  sight.signalled = 5;
  EXPECT_EQ(look(1100), KAWARA_VERDICT_WAIT);
  EXPECT_EQ(look(2200), KAWARA_VERDICT_RESET_QUEUE);
}

TEST_F(Watch, BelievesASignalOfThisJobOrALaterOne) {
  sight.state = 0xffffffff;
  for (const uint64_t signalled : {5, 6}) {
    sight.signalled = signalled;
    EXPECT_EQ(look(0), KAWARA_VERDICT_COMPLETE);
  }
  sight.signalled = 4;
  EXPECT_EQ(look(0), KAWARA_VERDICT_GONE);
}

TEST_F(Watch, WorkThatRunsOverItsEndHasMoved) {
  sight.work = 0xffffffff;
  look(0);
  sight.work = 0;
  EXPECT_EQ(look(1100), KAWARA_VERDICT_WAIT);
}

}  // namespace
}  // namespace kawara
