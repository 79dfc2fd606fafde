// SPDX-License-Identifier: Apache-2.0
// INTERRUPT_STATUS, INTERRUPT_MASK and vector 8: sent when an unmasked bit appears, and again if an acknowledgement leaves one.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "emulator/chip/register_file.h"

namespace kawara::emulator {

// The three changes are made under the chip's lock. The vector is sent from a thread of its own: a register write that
// causes it must not find its writer's locks taken, nor wait for the thread that runs jobs.
class ManagementInterrupt {
 public:
  ManagementInterrupt(RegisterFile& registers, std::function<void()> send);

  void raise(uint32_t bits);
  void write_status(uint32_t value);
  void write_mask(uint32_t value);
  void reset();  // the registers were reset: nothing is pending

 private:
  uint32_t unmasked() const;
  void request();

  RegisterFile& registers_;
  std::function<void()> send_;
  std::mutex mutex_;
  std::condition_variable_any wanted_;
  bool due_ = false;
  std::jthread thread_;
};

}  // namespace kawara::emulator
