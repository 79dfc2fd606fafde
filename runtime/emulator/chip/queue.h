// SPDX-License-Identifier: Apache-2.0
// One queue: the meaning of its registers and the states it goes through. It fetches nothing itself.
#pragma once

#include <cstdint>

#include "emulator/chip/chip_fault.h"
#include "emulator/chip/register_file.h"

namespace kawara::emulator {

// Works on its page of the register file; the chip's lock guards both.
class Queue {
 public:
  // What a change asks of the chip.
  enum class Effect { none, work /*it may have become runnable*/, stop /*end its packet soon*/, faulted };

  Queue(RegisterFile& registers, unsigned number) : registers_(registers), base_(KAWARA_QUEUE_BASE + KAWARA_QUEUE_STRIDE * number) {}

  uint32_t state() const { return KAWARA_GET(get(KAWARA_QUEUE_STATE), QUEUE_STATE_STATE); }
  bool has_work() const;    // READY, RUNNING or RESETTING
  uint32_t weight() const;  // 1, 2, 4 or 8
  uint32_t vector() const;
  uint64_t packet_address() const;  // of the packet at HEAD, on the bus
  bool suspended() const { return suspended_; }

  // A write of the host to the register at `offset` of the page.
  Effect write(uint32_t offset, uint32_t value);

  // The packet at HEAD: it starts, or goes on after a suspension, and leaves the chip's thread in one of five ways.
  void start();
  void suspend();                        // between two segments of its job: READY, with its context
  Effect retire();                       // HEAD moves
  void wait();                           // not started or resumed after all: READY again
  Effect fault(const ChipFault& fault);  // HEAD stays; the queue stops until it is reset
  void stop();                           // HEAD stays; the reset is over
  void forget() { suspended_ = false; }  // the registers were reset

  // While a job runs.
  void enter(uint32_t context);
  void retired(uint32_t command_offset);
  void work() { set(KAWARA_QUEUE_WORK, get(KAWARA_QUEUE_WORK) + 1); }
  void signaled() { set(KAWARA_QUEUE_SIGNALS, get(KAWARA_QUEUE_SIGNALS) + 1); }

 private:
  uint32_t get(uint32_t offset) const { return registers_.get(base_ + offset); }
  void set(uint32_t offset, uint32_t value) { registers_.set(base_ + offset, value); }
  // Of no job, or keeping the context of the job that is shown.
  void set_state(kawara_queue_state state) { set(KAWARA_QUEUE_STATE, KAWARA_PUT(QUEUE_STATE_STATE, state)); }
  void change_state(kawara_queue_state state) {
    set(KAWARA_QUEUE_STATE, (get(KAWARA_QUEUE_STATE) & ~KAWARA_QUEUE_STATE_STATE) | KAWARA_PUT(QUEUE_STATE_STATE, state));
  }
  bool enabled() const { return KAWARA_GET(get(KAWARA_QUEUE_CONTROL), QUEUE_CONTROL_ENABLE) != 0; }
  bool has_fault() const { return KAWARA_GET(get(KAWARA_QUEUE_FAULT), QUEUE_FAULT_VALID) != 0; }
  uint32_t ring_packets() const;
  bool tail_too_far() const;

  Effect write_control(uint32_t value);
  Effect write_reset(uint32_t value);
  Effect write_tail(uint32_t value);
  Effect settle();
  bool latch(const ChipFault& fault);
  Effect bad_doorbell();

  RegisterFile& registers_;
  uint32_t base_;
  bool suspended_ = false;
};

}  // namespace kawara::emulator
