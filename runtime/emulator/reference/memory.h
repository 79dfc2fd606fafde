// SPDX-License-Identifier: Apache-2.0
// What a copy reads or writes: a region of any kind, host memory with its pieces included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "emulator/executor.h"

namespace kawara::emulator::reference {

class Memory {
 public:
  Memory(const Job& job, uint64_t operand)
      : region_(job.regions[kawara_operand_region(operand)]), origin_(kawara_operand_offset(operand)) {}

  // offset: in bytes from the operand; may be negative, as strides may. bytes: may span pieces.
  void read(int64_t offset, std::span<std::byte> bytes);
  void write(int64_t offset, std::span<const std::byte> bytes);

  // The longest contiguous run from `offset` on, at most `bytes`.
  std::span<std::byte> run(int64_t offset, uint64_t bytes);

 private:
  const Region& region_;
  uint64_t origin_;
  size_t piece_ = 0;  // that the last access found
};

}  // namespace kawara::emulator::reference
