// SPDX-License-Identifier: Apache-2.0
// Looks at a ring again and again while it has jobs, and says when the chip hangs.
#pragma once

#include <chrono>
#include <cstdint>

namespace kawara::emulator {

enum class Verdict { wait, complete /*its interrupt was lost*/, reset_queue, reset_device, gone };

// What one look sees.
struct RingSight {
  uint64_t job = 0;                      // value of the oldest job's signal
  uint64_t signalled = 0;                // value of the last signal written
  uint32_t state = 0, work = 0;          // registers
  std::chrono::milliseconds timeout{0};  // of that job
};

class HangWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  Verdict look(const RingSight& sight, Time now);

 private:
  uint64_t job_ = 0;
  uint32_t work_ = 0;
  Time ran_since_{}, moved_{};
};

}  // namespace kawara::emulator
