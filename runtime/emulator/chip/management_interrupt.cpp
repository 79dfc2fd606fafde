// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/management_interrupt.h"

namespace kawara::emulator {

ManagementInterrupt::ManagementInterrupt(RegisterFile& registers, std::function<void()> send)
    : registers_(registers), send_(std::move(send)), thread_([this](std::stop_token stopping) {
        std::unique_lock lock(mutex_);
        while (wanted_.wait(lock, stopping, [this] { return due_; })) {
          due_ = false;
          lock.unlock();
          send_();
          lock.lock();
        }
      }) {}

uint32_t ManagementInterrupt::unmasked() const {
  return registers_.get(KAWARA_GLOBAL_INTERRUPT_STATUS) & ~registers_.get(KAWARA_GLOBAL_INTERRUPT_MASK);
}

void ManagementInterrupt::request() {
  {
    std::lock_guard lock(mutex_);
    due_ = true;
  }
  wanted_.notify_one();
}

void ManagementInterrupt::raise(uint32_t bits) {
  const uint32_t before = unmasked();
  registers_.set(KAWARA_GLOBAL_INTERRUPT_STATUS, registers_.get(KAWARA_GLOBAL_INTERRUPT_STATUS) | bits);
  if (before == 0 && unmasked() != 0) request();
}

void ManagementInterrupt::write_status(uint32_t value) {
  registers_.write(KAWARA_GLOBAL_INTERRUPT_STATUS, value);
  if (unmasked() != 0) request();
}

void ManagementInterrupt::write_mask(uint32_t value) {
  const uint32_t before = unmasked();
  registers_.write(KAWARA_GLOBAL_INTERRUPT_MASK, value);
  if (before == 0 && unmasked() != 0) request();
}

void ManagementInterrupt::reset() {
  std::lock_guard lock(mutex_);
  due_ = false;
}

}  // namespace kawara::emulator
