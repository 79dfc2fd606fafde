// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <gmock/gmock.h>

#include "packing_search.h"
#include "tiling.h"

namespace kawara::compiler {
namespace {

// Of all orders, each block as low as those before it let it lie: one of them is the least packing.
uint64_t least_top(const std::vector<Block>& blocks) {
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  uint64_t least = ~0ull;
  do {
    std::vector<uint64_t> offsets(blocks.size());
    uint64_t top = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      const Block& block = blocks[order[i]];
      for (bool moved = true; moved;) {
        moved = false;
        for (size_t j = 0; j < i; ++j) {
          const Block& other = blocks[order[j]];
          uint64_t& offset = offsets[order[i]];
          if (other.first > block.last || block.first > other.last) continue;
          if (offset >= offsets[order[j]] + other.size || offsets[order[j]] >= offset + block.size) continue;
          offset = offsets[order[j]] + other.size;
          moved = true;
        }
      }
      top = std::max(top, offsets[order[i]] + block.size);
    }
    least = std::min(least, top);
  } while (std::ranges::next_permutation(order).found);
  return least;
}

std::vector<Block> random_blocks(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Block> blocks;
  for (size_t i = 0; i < count; ++i) {
    const auto first = static_cast<uint32_t>(random() % 6);
    blocks.push_back({first, first + static_cast<uint32_t>(random() % 4), 1 + random() % 7});
  }
  return blocks;
}

TEST(Packing, SmallOnesAreTheLeastOfAllOrdersAndProvedToBe) {
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const auto blocks = random_blocks(6, seed);
    const Packing packing = pack(blocks, kQuick);
    EXPECT_TRUE(sound(blocks, packing));
    EXPECT_EQ(packing.top, least_top(blocks)) << "seed " << seed;
    EXPECT_EQ(packing.bound, packing.top);
    EXPECT_EQ(packing.proof, packing.top == live_max(blocks) ? Proof::bound : Proof::exhausted);
  }
}

TEST(Packing, TheSearchFindsWhatThereIsAndNothingBelow) {
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const auto blocks = random_blocks(6, seed);
    const uint64_t least = least_top(blocks);
    EXPECT_EQ(search_packing(blocks, least, 1 << 24).found, Found::packing) << "seed " << seed;
    EXPECT_EQ(search_packing(blocks, least - 1, 1 << 24).found, Found::none) << "seed " << seed;
  }
}

// Never more than 6 are alive, and there is no way to lie in 6.
TEST(Packing, WhatCanNotReachTheBoundIsProvedByExhaustion) {
  const std::vector<Block> blocks = {{2, 3, 1}, {4, 6, 3}, {0, 0, 3}, {5, 6, 3}, {3, 4, 1}, {0, 2, 3}, {2, 4, 2}};
  ASSERT_EQ(live_max(blocks), 6u);
  ASSERT_EQ(least_top(blocks), 7u);
  const Packing packing = pack(blocks, kThorough);
  EXPECT_TRUE(sound(blocks, packing));
  EXPECT_EQ(packing.top, 7u);
  EXPECT_EQ(packing.bound, 7u);
  EXPECT_EQ(packing.proof, Proof::exhausted);
}

TEST(Packing, TilingsArePackedAsTheyWereCut) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const auto blocks = cut({.count = 40, .times = 20, .capacity = 256, .filled = 1, .seed = seed});
    const Packing packing = pack(blocks, kThorough);
    EXPECT_TRUE(sound(blocks, packing));
    EXPECT_EQ(packing.top, 256u) << "seed " << seed;
  }
}

TEST(Packing, WhereAGreedyOrderReachesTheBoundNoStepIsTaken) {
  std::vector<Block> chain;
  for (uint32_t i = 0; i < 100; ++i) chain.push_back({i, i + 1, 512});
  const Packing packing = pack(chain, kThorough);
  EXPECT_EQ(packing.top, 1024u);
  EXPECT_EQ(packing.steps, 0u);
}

TEST(Packing, WithoutStepsItSaysThatItStopped) {
  const auto blocks = cut({.count = 100, .times = 40, .capacity = 1024, .filled = 1, .seed = 1});
  const Packing packing = pack(blocks, {});
  EXPECT_TRUE(sound(blocks, packing));
  EXPECT_EQ(packing.proof, Proof::stopped);
  EXPECT_EQ(packing.bound, 1024u);
}

TEST(Packing, OffsetsAreMultiplesOfTheUnitOfAllSizes) {
  auto blocks = cut({.count = 40, .times = 20, .capacity = 256, .filled = 1, .seed = 1});
  for (Block& block : blocks) block.size *= 256;
  const Packing packing = pack(blocks, kThorough);
  EXPECT_EQ(packing.top, 65536u);
  EXPECT_THAT(packing.offsets, testing::Each(testing::ResultOf([](uint64_t offset) { return offset % 256; }, 0u)));
}

TEST(Packing, EmptyBlocksTakeNothing) {
  EXPECT_EQ(pack({}, kThorough).top, 0u);
  const std::vector<Block> blocks = {{0, 3, 0}, {1, 2, 5}};
  EXPECT_EQ(pack(blocks, kThorough).top, 5u);
}

TEST(Packing, WhatIsTooLargeForTheSearchIsStopped) {
  std::vector<Block> wide;
  for (uint32_t i = 0; i < 4000; ++i) wide.push_back({i, i + 4000, 1});
  EXPECT_EQ(search_packing(wide, 8000, ~0ull).found, Found::stopped);
}

TEST(Packing, WhoeverWaitsMayEndIt) {
  const auto blocks = cut({.count = 300, .times = 130, .capacity = 1024, .filled = 1, .seed = 1});
  const Waiting waiting([] { throw std::runtime_error("enough"); });
  EXPECT_THROW(pack(blocks, kThorough, waiting), std::runtime_error);
  EXPECT_THROW(search_packing(blocks, 1024, ~0ull, waiting), std::runtime_error);
}

}  // namespace
}  // namespace kawara::compiler
