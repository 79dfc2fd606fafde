// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/queue.h"

#include "kawara/hw/ring.h"

namespace kawara::emulator {

bool Queue::has_work() const {
  const uint32_t now = state();
  return now == KAWARA_QUEUE_READY || now == KAWARA_QUEUE_RUNNING || now == KAWARA_QUEUE_RESETTING;
}

uint32_t Queue::weight() const { return 1u << KAWARA_GET(get(KAWARA_QUEUE_CONTROL), QUEUE_CONTROL_PRIORITY); }

uint32_t Queue::vector() const { return KAWARA_GET(get(KAWARA_QUEUE_CONTROL), QUEUE_CONTROL_VECTOR); }

// A size outside the allowed ones is no ring at all: the first packet is one too many.
uint32_t Queue::ring_packets() const { return kawara_ring_packets(get(KAWARA_QUEUE_RING_SIZE)); }

uint64_t Queue::packet_address() const {
  const uint64_t slot = kawara_ring_slot(get(KAWARA_QUEUE_HEAD), ring_packets());
  return registers_.get64(base_ + KAWARA_QUEUE_RING_BASE_LO) + slot * sizeof(kawara_packet);
}

bool Queue::tail_too_far() const { return kawara_ring_overrun(get(KAWARA_QUEUE_HEAD), get(KAWARA_QUEUE_TAIL), ring_packets()); }

Queue::Effect Queue::write(uint32_t offset, uint32_t value) {
  switch (offset) {
    case KAWARA_QUEUE_RING_BASE_LO:
    case KAWARA_QUEUE_RING_BASE_HI:
    case KAWARA_QUEUE_RING_SIZE:
    case KAWARA_QUEUE_HEAD:
      if (state() == KAWARA_QUEUE_DISABLED) registers_.write(base_ + offset, value);
      return Effect::none;
    case KAWARA_QUEUE_CONTROL: return write_control(value);
    case KAWARA_QUEUE_TAIL: return write_tail(value);
    case KAWARA_QUEUE_RESET: return write_reset(value);
    default: registers_.write(base_ + offset, value); return Effect::none;
  }
}

Queue::Effect Queue::write_control(uint32_t value) {
  // A reset ends with ENABLE clear: what is written before its end is lost.
  if (state() == KAWARA_QUEUE_RESETTING) return Effect::none;
  registers_.write(base_ + KAWARA_QUEUE_CONTROL, value);
  if (state() == KAWARA_QUEUE_DISABLED && enabled()) {
    for (uint32_t offset = KAWARA_QUEUE_FAULT; offset <= KAWARA_QUEUE_FAULT_FIELD; offset += 4) set(offset, 0);
    return settle();
  }
  // Without ENABLE a packet that runs still ends, and a fault still waits for its reset.
  const bool waits = !suspended_ && (state() == KAWARA_QUEUE_IDLE || state() == KAWARA_QUEUE_READY);
  return waits ? settle() : Effect::none;
}

Queue::Effect Queue::write_tail(uint32_t value) {
  set(KAWARA_QUEUE_TAIL, value);
  switch (state()) {
    case KAWARA_QUEUE_IDLE:
    case KAWARA_QUEUE_READY:
      if (!suspended_) return settle();
      [[fallthrough]];
    case KAWARA_QUEUE_RUNNING: return tail_too_far() ? bad_doorbell() : Effect::none;
    default: return Effect::none;
  }
}

Queue::Effect Queue::write_reset(uint32_t value) {
  if (KAWARA_GET(value, QUEUE_RESET_GO) == 0 || state() == KAWARA_QUEUE_DISABLED) return Effect::none;
  change_state(KAWARA_QUEUE_RESETTING);
  return Effect::stop;
}

// Where a queue belongs that has no packet in the chip.
Queue::Effect Queue::settle() {
  if (has_fault()) {
    set_state(KAWARA_QUEUE_FAULTED);
    return Effect::none;
  }
  if (!enabled()) {
    set_state(KAWARA_QUEUE_DISABLED);
    return Effect::none;
  }
  if (tail_too_far()) {
    const Effect effect = bad_doorbell();
    set_state(KAWARA_QUEUE_FAULTED);
    return effect;
  }
  if (get(KAWARA_QUEUE_TAIL) == get(KAWARA_QUEUE_HEAD)) {
    set_state(KAWARA_QUEUE_IDLE);
    return Effect::none;
  }
  set_state(KAWARA_QUEUE_READY);
  return Effect::work;
}

void Queue::start() {
  suspended_ ? change_state(KAWARA_QUEUE_RUNNING) : set_state(KAWARA_QUEUE_RUNNING);
  work();
}

void Queue::suspend() {
  if (state() == KAWARA_QUEUE_RESETTING) return stop();
  suspended_ = true;
  change_state(KAWARA_QUEUE_READY);
}

void Queue::enter(uint32_t context) {
  set(KAWARA_QUEUE_STATE, (get(KAWARA_QUEUE_STATE) & ~KAWARA_QUEUE_STATE_CONTEXT) | KAWARA_PUT(QUEUE_STATE_CONTEXT, context));
  set(KAWARA_QUEUE_COMMAND, 0);
}

void Queue::retired(uint32_t command_offset) {
  set(KAWARA_QUEUE_COMMAND, command_offset);
  work();
}

Queue::Effect Queue::retire() {
  suspended_ = false;
  set(KAWARA_QUEUE_HEAD, get(KAWARA_QUEUE_HEAD) + 1);
  work();
  if (state() != KAWARA_QUEUE_RESETTING) return settle();
  stop();
  return Effect::none;
}

void Queue::wait() {
  if (suspended_) return suspend();
  if (state() == KAWARA_QUEUE_RESETTING) return stop();
  settle();
}

Queue::Effect Queue::fault(const ChipFault& fault) {
  suspended_ = false;
  const bool first = latch(fault);
  if (state() == KAWARA_QUEUE_RESETTING) {
    stop();
  } else {
    set_state(KAWARA_QUEUE_FAULTED);
  }
  return first ? Effect::faulted : Effect::none;
}

void Queue::stop() {
  suspended_ = false;
  set(KAWARA_QUEUE_CONTROL, get(KAWARA_QUEUE_CONTROL) & ~KAWARA_QUEUE_CONTROL_ENABLE);
  set_state(KAWARA_QUEUE_DISABLED);
}

// The first fault since ENABLE stays.
bool Queue::latch(const ChipFault& fault) {
  if (has_fault()) return false;
  set(KAWARA_QUEUE_FAULT, KAWARA_PUT(QUEUE_FAULT_CODE, fault.code) | KAWARA_PUT(QUEUE_FAULT_ENGINE, fault.engine) |
                              (fault.write ? KAWARA_QUEUE_FAULT_WRITE : 0) | KAWARA_QUEUE_FAULT_VALID);
  set(KAWARA_QUEUE_FAULT_PACKET, get(KAWARA_QUEUE_HEAD));
  set(KAWARA_QUEUE_FAULT_COMMAND, fault.command);
  set(KAWARA_QUEUE_FAULT_DEBUG_ID, fault.debug_id);
  registers_.set64(base_ + KAWARA_QUEUE_FAULT_ADDRESS_LO, fault.address);
  set(KAWARA_QUEUE_FAULT_FIELD, fault.field);
  return true;
}

Queue::Effect Queue::bad_doorbell() { return latch(ChipFault{.code = KAWARA_FAULT_bad_doorbell}) ? Effect::faulted : Effect::none; }

}  // namespace kawara::emulator
