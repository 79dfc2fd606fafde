// SPDX-License-Identifier: Apache-2.0
// A ring packet, decoded: the words of packets.def with every rule of their form checked.
#pragma once

#include <cstdint>
#include <expected>
#include <variant>

#include "kawara/hw/hw.h"

namespace kawara::emulator {

struct NopPacket {};
struct RunPacket {
  uint32_t context = 0, command_bytes = 0, region_count = 0;
  uint64_t commands = 0, regions = 0, record = 0;  // virtual
  uint64_t tag = 0;
};
struct SignalPacket {
  bool interrupt = false;
  uint64_t address = 0;  // on the bus
  uint64_t value = 0;
};
struct ClearPacket {
  uint64_t address = 0, size = 0;  // in local memory
};
using Packet = std::variant<NopPacket, RunPacket, SignalPacket, ClearPacket>;

struct BadPacket {
  uint32_t field = 0;  // byte offset of the word that breaks a rule
};
std::expected<Packet, BadPacket> decode(const kawara_packet& packet);

}  // namespace kawara::emulator
