// SPDX-License-Identifier: Apache-2.0
// Word to the command processor while a call takes its time, so that a busy machine is not taken for a hung engine.
#pragma once

#include <chrono>
#include <future>
#include <utility>

#include "emulator/executor.h"

namespace kawara::emulator::vulkan {

// Progress wants it every 200 ms.
inline constexpr std::chrono::milliseconds kWordEvery{100};
// What lasts longer than this is taken for hung, and no more word of it comes.
inline constexpr std::chrono::seconds kPatience{60};

// Until `ended`, which waits for kWordEvery at most, says so.
template <typename Ended>
void give_word_until(const Progress& progress, Ended&& ended) {
  const auto patience_ends = std::chrono::steady_clock::now() + kPatience;
  while (!ended())
    if (std::chrono::steady_clock::now() < patience_ends) progress.work();
}

// What `call` returns or throws. It runs in another thread while this one gives word.
template <typename Call>
auto with_word(const Progress& progress, Call&& call) {
  auto result = std::async(std::launch::async, std::forward<Call>(call));
  give_word_until(progress, [&] { return result.wait_for(kWordEvery) == std::future_status::ready; });
  return result.get();
}

}  // namespace kawara::emulator::vulkan
