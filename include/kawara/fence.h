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

// How near a job's results are to the exact ones, and whether another device gives the same bits: commands by kind, told from
// the commands alone (hw/fidelity.h).
struct Fidelity {
  uint32_t exact = 0;             // the same bits on every device
  uint32_t bounded = 0;           // the same bits on every device, by published sequences
  uint32_t device_dependent = 0;  // the same bits on one device: float sums err by at most (depth + 2) * 2^-24 * sum of |a||b|
  double bound_ulp = 0;           // of the bounded: the worst sequence's error, in units in the last place
  uint64_t depth_max = 0;         // of the device-dependent: products in the longest sum
};

// What the chip says of a job that it has run.
struct JobReport {
  uint32_t commands = 0;  // retired
  uint64_t cycles = 0;
  uint32_t nan = 0, inf = 0, saturated = 0, dropped = 0;  // results, where commands ask for health
  // Read from the command buffer when the report is asked for, so of what stands in it then; zero if that is no commands.
  Fidelity fidelity;
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
