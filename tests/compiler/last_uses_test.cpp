// SPDX-License-Identifier: Apache-2.0
#include "last_uses.h"

#include <gmock/gmock.h>

#include <random>

namespace kawara::compiler {
namespace {

TEST(LastUses, AnswersAsAListOfBytesDoes) {
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    const uint32_t bytes = 1 + random() % 40;
    std::vector<uint64_t> borders;
    for (uint32_t i = 0; i <= bytes; ++i) borders.push_back(1000 + i * 7);
    LastUses uses(borders);
    std::vector<Clock> listed(bytes);
    Clock numbers{};
    for (int step = 0; step < 200; ++step) {
      uint32_t begin = random() % (bytes + 1), end = random() % (bytes + 1);
      if (begin > end) std::swap(begin, end);
      if (random() % 2) {
        const uint32_t engine = random() % KAWARA_ENGINE_COUNT;
        uses.record(borders[begin], borders[end], engine, ++numbers[engine]);
        for (uint32_t i = begin; i < end; ++i) listed[i][engine] = numbers[engine];
      }
      Clock found{}, expected{};
      uses.find(borders[begin], borders[end], found);
      for (uint32_t i = begin; i < end; ++i) join(expected, listed[i]);
      ASSERT_EQ(found, expected);
    }
  }
}

TEST(LastUses, NothingUsesAnEmptyRange) {
  LastUses uses({0, 10});
  uses.record(0, 10, 1, 5);
  Clock clock{};
  uses.find(10, 10, clock);
  EXPECT_EQ(clock, Clock{});
}

}  // namespace
}  // namespace kawara::compiler
