// SPDX-License-Identifier: Apache-2.0
// Where an operand of ME or VE lies: in local memory or SRAM, in one piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "emulator/executor.h"

namespace kawara::emulator::reference {

inline bool is_absent(uint64_t operand) { return kawara_operand_region(operand) == KAWARA_REGION_ABSENT; }

// Null where the region has no memory, as only a command without any points may name one.
inline std::byte* address(const Job& job, uint64_t operand) {
  std::byte* const data = job.regions[kawara_operand_region(operand)].data;
  return data == nullptr ? nullptr : data + kawara_operand_offset(operand);
}

}  // namespace kawara::emulator::reference
