// SPDX-License-Identifier: Apache-2.0
// Work, in quanta small enough that the command processor hears of them in time and can stop the job.
#pragma once

#include <cstdint>

#include "emulator/executor.h"

namespace kawara::emulator::reference {

class Pace {
 public:
  explicit Pace(const Progress& progress) : progress_(progress) {}

  // False once the job is to stop. operations: roughly of a nanosecond each.
  bool spend(uint64_t operations) {
    spent_ += operations;
    if (spent_ < kQuantum || aborted_) return !aborted_;
    spent_ = 0;
    if (progress_.work) progress_.work();
    aborted_ = progress_.aborted && progress_.aborted();
    return !aborted_;
  }

  bool aborted() const { return aborted_; }

 private:
  static constexpr uint64_t kQuantum = 10'000'000;
  const Progress& progress_;
  uint64_t spent_ = 0;
  bool aborted_ = false;
};

}  // namespace kawara::emulator::reference
