// SPDX-License-Identifier: Apache-2.0
#include <ctime>

#include <gtest/gtest.h>

#include "tiling.h"

namespace kawara::compiler {
namespace {

TEST(PackingLarge, TilingsOfHundredsOfBlocksArePackedAsTheyWereCut) {
  for (const auto& [count, times] : {std::pair{154u, 66u},
                                     {170u, 78u},
                                     {203u, 95u},
                                     {213u, 91u},
                                     {215u, 99u},
                                     {296u, 131u},
                                     {308u, 138u},
                                     {316u, 148u},
                                     {374u, 158u},
                                     {409u, 169u},
                                     {454u, 225u}}) {
    const auto blocks = cut({.count = count, .times = times, .capacity = 1024, .filled = 0.65, .seed = 1});
    ASSERT_EQ(blocks.size(), count);
    ASSERT_EQ(live_max(blocks), 1024u);
    EXPECT_GT(pack(blocks, {}).top, 1024u) << "a greedy order solves it: no test of the search";
    const std::clock_t begin = std::clock();
    const Packing packing = pack(blocks, kThorough);
    const double seconds = double(std::clock() - begin) / CLOCKS_PER_SEC;
    EXPECT_TRUE(sound(blocks, packing)) << count;
    EXPECT_EQ(packing.top, 1024u) << count;
    EXPECT_EQ(packing.proof, Proof::bound);
    EXPECT_LT(seconds, 10) << count;
    std::printf("%u blocks: %.2f s, %.1f million steps\n", count, seconds, double(packing.steps) / 1e6);
  }
}

}  // namespace
}  // namespace kawara::compiler
