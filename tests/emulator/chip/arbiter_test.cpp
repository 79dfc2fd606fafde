// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/arbiter.h"

#include <gmock/gmock.h>

namespace kawara::emulator {
namespace {

TEST(Arbiter, HasNothingToPickWhenNobodyIsRunnable) { EXPECT_EQ(Arbiter().pick(0), std::nullopt); }

TEST(Arbiter, SharesTimeByWeight) {
  Arbiter arbiter;
  const uint32_t weights[] = {1, 2, 4, 8};
  uint64_t time[4] = {};
  for (int packet = 0; packet < 15000; ++packet) {
    const unsigned queue = *arbiter.pick(0xf);
    const uint64_t length = queue % 2 == 0 ? 1000 : 3000;  // packets of one queue are longer than another's
    arbiter.charge(queue, length, weights[queue]);
    time[queue] += length;
  }
  for (int queue = 1; queue < 4; ++queue) EXPECT_NEAR(double(time[queue]) / double(time[0]), weights[queue], 0.05) << queue;
}

TEST(Arbiter, AQueueThatSleptSavesUpNothing) {
  Arbiter arbiter;
  for (int packet = 0; packet < 1000; ++packet) {
    arbiter.pick(0b01);
    arbiter.charge(0, 1000, 1);
  }
  int turns_of_sleeper = 0;
  for (int packet = 0; packet < 100; ++packet) {
    const unsigned queue = *arbiter.pick(0b11);
    arbiter.charge(queue, 1000, 1);
    turns_of_sleeper += queue == 1;
  }
  EXPECT_NEAR(turns_of_sleeper, 50, 1);
}

TEST(Arbiter, EmptyPacketsPassTheTurnOn) {
  Arbiter arbiter;
  bool served[8] = {};
  for (int packet = 0; packet < 8; ++packet) {
    const unsigned queue = *arbiter.pick(0xff);
    served[queue] = true;
    arbiter.charge(queue, 0, 8);
  }
  EXPECT_THAT(served, ::testing::Each(true));
}

}  // namespace
}  // namespace kawara::emulator
