// SPDX-License-Identifier: Apache-2.0
// A call that takes long is told from one that hangs.
#include "emulator/vulkan/word.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace kawara::emulator::vulkan {
namespace {

TEST(Word, ComesWhileACallTakesItsTime) {
  int words = 0;
  const Progress progress{.retired = nullptr, .work = [&] { ++words; }, .aborted = nullptr};
  EXPECT_EQ(with_word(progress,
                      [] {
                        std::this_thread::sleep_for(3 * kWordEvery);
                        return 7;
                      }),
            7);
  EXPECT_GE(words, 1);
}

TEST(Word, IsNotNeededForAShortCall) {
  const Progress progress{};  // calling it would throw
  EXPECT_EQ(with_word(progress, [] { return 7; }), 7);
}

TEST(Word, LetsAnErrorThrough) {
  const Progress progress{};
  EXPECT_THROW(with_word(progress, []() -> int { throw std::runtime_error("no"); }), std::runtime_error);
}

}  // namespace
}  // namespace kawara::emulator::vulkan
