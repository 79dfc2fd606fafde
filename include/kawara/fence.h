// SPDX-License-Identifier: Apache-2.0
// The end of a submitted job: waits for it and tells what became of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "kawara/export.h"
#include "kawara/fault.h"

namespace kawara {

enum class WaitResult { signaled, timed_out };

// What the chip says of a job that it has run.
struct JobReport {
  uint32_t commands = 0;  // retired
  uint64_t cycles = 0;
  uint32_t nan = 0, inf = 0, saturated = 0, dropped = 0;  // results, where commands ask for health
};

// Cheap to copy, and thread-safe. A fence without a job (default) is done.
class KAWARA_API Fence {
 public:
  Fence() = default;
  Fence(const Fence& other);
  Fence(Fence&& other) noexcept;
  Fence& operator=(Fence other) noexcept;
  ~Fence();

  bool done() const;  // the job ended, well or not
  // Throws once the job ended badly: device_fault with the fault in words, queue_dead when an earlier job's fault cancelled
  // this one, device_lost.
  void wait() const;
  WaitResult wait(std::chrono::nanoseconds timeout) const;

  // Of the job's own end by a fault or a hang; none while it runs, or when it ended otherwise.
  std::optional<Fault> fault() const;
  JobReport report() const;  // zero until the job has ended well

 private:
  friend class Device;
  struct State;
  explicit Fence(State& state);
  State* state_ = nullptr;  // counts its fences
};

}  // namespace kawara
