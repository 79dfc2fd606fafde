// SPDX-License-Identifier: Apache-2.0
// Which queue the chip serves next: each gets the share of the chip's cycles that its weight says, whoever else is busy, and
// none starves.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "kawara/hw/hw.h"

namespace kawara::emulator {

// Stride scheduling: a queue's clock runs the slower the heavier it is; the one furthest behind is next.
class Arbiter {
 public:
  using QueueMask = uint32_t;

  // `runnable`: a bit for each queue that could go on.
  std::optional<unsigned> pick(QueueMask runnable);
  // The queue was served for that long on the work clock.
  void charge(unsigned queue, uint64_t cycles, uint32_t weight);

 private:
  std::array<uint64_t, KAWARA_QUEUE_COUNT> clock_{};
  uint64_t now_ = 0;  // clock of the queue that was served last: one that slept saves up nothing
};

}  // namespace kawara::emulator
