// SPDX-License-Identifier: Apache-2.0
// Why a queue stops and where: what the registers FAULT, FAULT_COMMAND … FAULT_FIELD show.
#pragma once

#include <cstdint>

#include "kawara/hw/hw.h"

namespace kawara::emulator {

struct ChipFault {
  uint32_t code = KAWARA_FAULT_none;
  uint32_t engine = KAWARA_ENGINE_CP;
  bool write = false;
  uint32_t command = 0;   // byte offset in the command buffer
  uint32_t debug_id = 0;  // of the command
  uint64_t address = 0;   // virtual; of host_bus_error and bad_packet: on the bus
  uint32_t field = 0;     // byte offset in the command; of bad_packet: in the packet

  bool operator==(const ChipFault&) const = default;
};

}  // namespace kawara::emulator
