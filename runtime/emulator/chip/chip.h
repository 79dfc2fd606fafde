// SPDX-License-Identifier: Apache-2.0
// The emulated K1: registers (BAR0), local memory (BAR2) and interrupts, as the manual describes them. Nothing above the
// registers reaches in; the chip trusts nothing that it reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "emulator/chip/host_memory.h"
#include "emulator/executor.h"
#include "kawara/hw/hw.h"

namespace kawara::emulator {

// For diagnosis and tests: what the chip has been asked and has done since it was made.
struct ChipCounters {
  uint64_t register_reads = 0, register_writes = 0;
  uint64_t doorbells = 0;         // writes of TAIL, among the others
  uint64_t commands_checked = 0;  // commands that are known from a snapshot are not checked again
};

// Sends an MSI-X vector: 0-7 signals, 8 management. Called from the chip's own threads without any of its locks: it may
// read and write registers, but must not destroy the chip, nor wait for a job.
using Interrupt = std::function<void(unsigned vector)>;

// Thread-safe. A register access never waits for a job. The destructor aborts what runs and ends the chip's threads; until
// then `host` must live. A forked child must not destroy a chip: its threads are not there.
class Chip {
 public:
  Chip(const kawara_config& config, HostMemory& host, ExecutorFactory executor, Interrupt interrupt);
  ~Chip();
  Chip(const Chip&) = delete;
  Chip& operator=(const Chip&) = delete;

  // BAR0: aligned 32-bit accesses. Offsets without a register read 0 and ignore writes.
  uint32_t read(uint32_t offset);
  void write(uint32_t offset, uint32_t value);

  std::span<std::byte> local() const;  // BAR2
  int local_fd() const;                // the same memory, to be mapped elsewhere

  ChipCounters counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kawara::emulator
