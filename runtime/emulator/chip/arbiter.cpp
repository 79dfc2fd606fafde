// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/arbiter.h"

#include <algorithm>

namespace kawara::emulator {

std::optional<unsigned> Arbiter::pick(QueueMask runnable) {
  std::optional<unsigned> next;
  for (unsigned queue = 0; queue < KAWARA_QUEUE_COUNT; ++queue) {
    if ((runnable >> queue & 1) == 0) continue;
    clock_[queue] = std::max(clock_[queue], now_);
    if (!next || clock_[queue] < clock_[*next]) next = queue;
  }
  if (next) now_ = clock_[*next];
  return next;
}

// The heaviest weight is 8: the clock of the lightest runs eight times as fast. At least one step, so that a queue of
// empty packets passes the turn on.
void Arbiter::charge(unsigned queue, uint64_t cycles, uint32_t weight) { clock_[queue] += (cycles + 1) * 8 / weight; }

}  // namespace kawara::emulator
