// SPDX-License-Identifier: Apache-2.0
// Ring packets from what they say.
#pragma once

#include <cstdint>

#include "kawara/hw/hw.h"

namespace kawara::emulator {

inline void put64(kawara_packet& packet, unsigned word, uint64_t value) {
  packet.word[word] = static_cast<uint32_t>(value);
  packet.word[word + 1] = static_cast<uint32_t>(value >> 32);
}

inline kawara_packet run_packet(uint32_t context, uint32_t command_bytes, uint32_t region_count, uint64_t commands, uint64_t regions,
                                uint64_t record, uint64_t tag) {
  kawara_packet packet{};
  packet.word[0] = KAWARA_PACKET_RUN | context << KAWARA_RUN_CONTEXT_LOW;
  packet.word[KAWARA_RUN_COMMAND_BYTES_WORD] = command_bytes;
  packet.word[KAWARA_RUN_REGION_COUNT_WORD] = region_count;
  put64(packet, KAWARA_RUN_COMMANDS_WORD, commands);
  put64(packet, KAWARA_RUN_REGIONS_WORD, regions);
  put64(packet, KAWARA_RUN_RECORD_WORD, record);
  put64(packet, KAWARA_RUN_TAG_WORD, tag);
  return packet;
}

inline kawara_packet signal_packet(uint64_t address, uint64_t value) {
  kawara_packet packet{};
  packet.word[0] = KAWARA_PACKET_SIGNAL | KAWARA_SIGNAL_INTERRUPT;
  put64(packet, KAWARA_SIGNAL_ADDRESS_WORD, address);
  put64(packet, KAWARA_SIGNAL_VALUE_WORD, value);
  return packet;
}

inline kawara_packet clear_packet(uint64_t address, uint64_t size) {
  kawara_packet packet{};
  packet.word[0] = KAWARA_PACKET_CLEAR;
  put64(packet, KAWARA_CLEAR_ADDRESS_WORD, address);
  put64(packet, KAWARA_CLEAR_SIZE_WORD, size);
  return packet;
}

}  // namespace kawara::emulator
