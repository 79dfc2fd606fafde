// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/packet.h"

#include <array>

namespace kawara::emulator {
namespace {

using Words = std::array<uint32_t, 16>;

// The bits that the table names for an opcode; none of another.
constexpr Words named_bits(uint32_t opcode) {
  Words bits{};
#define PACKET_FIELD(packet, name, word, high, low, doc) \
  if (opcode == KAWARA_PACKET_##packet) bits[word] |= KAWARA_MASK(high, low);
#define PACKET_FIELD64(packet, name, word, doc) \
  if (opcode == KAWARA_PACKET_##packet) bits[word] = bits[(word) + 1] = ~0u;
#include "kawara/hw/packets.def"
  return bits;
}

uint64_t long_at(const kawara_packet& packet, uint32_t word) { return packet.word[word] | uint64_t{packet.word[word + 1]} << 32; }

std::unexpected<BadPacket> bad(uint32_t word) { return std::unexpected(BadPacket{word * 4}); }

std::expected<Packet, BadPacket> decode_run(const kawara_packet& packet) {
  const RunPacket run{
      .context = KAWARA_GET(packet.word[KAWARA_RUN_CONTEXT_WORD], RUN_CONTEXT),
      .command_bytes = packet.word[KAWARA_RUN_COMMAND_BYTES_WORD],
      .region_count = KAWARA_GET(packet.word[KAWARA_RUN_REGION_COUNT_WORD], RUN_REGION_COUNT),
      .commands = long_at(packet, KAWARA_RUN_COMMANDS_WORD),
      .regions = long_at(packet, KAWARA_RUN_REGIONS_WORD),
      .record = long_at(packet, KAWARA_RUN_RECORD_WORD),
      .tag = long_at(packet, KAWARA_RUN_TAG_WORD),
  };
  if (run.command_bytes % 16 != 0 || run.command_bytes > KAWARA_COMMAND_BYTES_MAX) return bad(KAWARA_RUN_COMMAND_BYTES_WORD);
  if (run.region_count > KAWARA_REGION_COUNT_MAX) return bad(KAWARA_RUN_REGION_COUNT_WORD);
  if (run.commands % 16 != 0) return bad(KAWARA_RUN_COMMANDS_WORD);
  if (run.regions % 32 != 0) return bad(KAWARA_RUN_REGIONS_WORD);
  if (run.record % 64 != 0) return bad(KAWARA_RUN_RECORD_WORD);
  return run;
}

std::expected<Packet, BadPacket> decode_signal(const kawara_packet& packet) {
  const SignalPacket signal{
      .interrupt = KAWARA_GET(packet.word[KAWARA_SIGNAL_INTERRUPT_WORD], SIGNAL_INTERRUPT) != 0,
      .address = long_at(packet, KAWARA_SIGNAL_ADDRESS_WORD),
      .value = long_at(packet, KAWARA_SIGNAL_VALUE_WORD),
  };
  if (signal.address % 64 != 0) return bad(KAWARA_SIGNAL_ADDRESS_WORD);
  return signal;
}

std::expected<Packet, BadPacket> decode_clear(const kawara_packet& packet) {
  const ClearPacket clear{.address = long_at(packet, KAWARA_CLEAR_ADDRESS_WORD), .size = long_at(packet, KAWARA_CLEAR_SIZE_WORD)};
  if (clear.address % 4096 != 0) return bad(KAWARA_CLEAR_ADDRESS_WORD);
  if (clear.size % 4096 != 0) return bad(KAWARA_CLEAR_SIZE_WORD);
  return clear;
}

}  // namespace

std::expected<Packet, BadPacket> decode(const kawara_packet& packet) {
  const uint32_t opcode = packet.word[0] & 0xff;
  const Words named = named_bits(opcode);
  for (uint32_t word = 0; word < 16; ++word)
    if ((packet.word[word] & ~named[word]) != 0) return bad(word);
  switch (opcode) {
    case KAWARA_PACKET_NOP: return NopPacket{};
    case KAWARA_PACKET_RUN: return decode_run(packet);
    case KAWARA_PACKET_SIGNAL: return decode_signal(packet);
    case KAWARA_PACKET_CLEAR: return decode_clear(packet);
    default: return bad(0);
  }
}

}  // namespace kawara::emulator
