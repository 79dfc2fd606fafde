// SPDX-License-Identifier: Apache-2.0
// Each fuzz target without its fuzzer: the seeds reach its depths, and some thousand changes to them break no promise.
#include <gtest/gtest.h>

#include "fuzz/target.h"

namespace kawara::fuzz {
namespace {

TEST(FuzzSeeds, AreAccepted) {
  const std::vector<Seed> all = seeds();
  ASSERT_FALSE(all.empty());
  for (const Seed& seed : all) EXPECT_TRUE(accepts(seed.bytes)) << seed.name;
}

TEST(FuzzSeeds, ChangedByTheirStructureAreOftenAcceptedStill) {
  constexpr size_t kMost = 4096;
  constexpr int kRounds = 1500;
  std::mt19937 random(20240607);
  const std::vector<Seed> all = seeds();
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    Bytes input = all[random() % all.size()].bytes;
    for (unsigned count = 1 + random() % 3; count > 0; --count) mutate(input, kMost, random);
    accepted += accepts(input);
  }
  EXPECT_GT(accepted, kRounds / 50);
  EXPECT_LT(accepted, kRounds);
}

}  // namespace
}  // namespace kawara::fuzz
