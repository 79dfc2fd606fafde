// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/packet.h"

#include <gmock/gmock.h>

namespace kawara::emulator {
namespace {

// Which bits of which word an opcode uses, from the table.
bool named(uint32_t opcode, uint32_t word, uint32_t bit) {
  bool found = false;
#define PACKET_FIELD(packet, name, at, high, low, doc) \
  found = found || (opcode == KAWARA_PACKET_##packet && word == (at) && (KAWARA_MASK(high, low) >> bit & 1) != 0);
#define PACKET_FIELD64(packet, name, at, doc) found = found || (opcode == KAWARA_PACKET_##packet && (word == (at) || word == (at) + 1));
#include "kawara/hw/packets.def"
  return found;
}

TEST(Packet, EveryBitThatNoRowNamesIsRefusedWithItsWord) {
  for (uint32_t opcode : {KAWARA_PACKET_NOP, KAWARA_PACKET_RUN, KAWARA_PACKET_SIGNAL, KAWARA_PACKET_CLEAR}) {
    ASSERT_TRUE(decode({{opcode}}));
    for (uint32_t word = 0; word < 16; ++word)
      for (uint32_t bit = word == 0 ? 8 : 0; bit < 32; ++bit) {
        if (named(opcode, word, bit)) continue;
        kawara_packet packet{{opcode}};
        packet.word[word] |= 1u << bit;
        const auto refused = decode(packet);
        ASSERT_FALSE(refused) << opcode << " " << word << " " << bit;
        EXPECT_EQ(refused.error().field, word * 4);
      }
  }
}

TEST(Packet, AnUnknownOpcodeIsRefused) {
  for (uint32_t opcode = 0; opcode < 256; ++opcode) EXPECT_EQ(decode({{opcode}}).has_value(), opcode >= 1 && opcode <= 4) << opcode;
}

TEST(Packet, AJobOutsideItsLimitsIsRefusedWithTheField) {
  const auto refused = [](uint32_t word, uint32_t value) {
    kawara_packet packet{{KAWARA_PACKET_RUN}};
    packet.word[word] = value;
    const auto result = decode(packet);
    return result ? ~0u : result.error().field;
  };
  EXPECT_EQ(refused(KAWARA_RUN_COMMAND_BYTES_WORD, 1u << 24), ~0u);
  EXPECT_EQ(refused(KAWARA_RUN_COMMAND_BYTES_WORD, (1u << 24) + 16), 4u);
  EXPECT_EQ(refused(KAWARA_RUN_COMMAND_BYTES_WORD, 24), 4u);
  EXPECT_EQ(refused(KAWARA_RUN_REGION_COUNT_WORD, 4096), ~0u);
  EXPECT_EQ(refused(KAWARA_RUN_REGION_COUNT_WORD, 4097), 8u);
  EXPECT_EQ(refused(KAWARA_RUN_COMMANDS_WORD, 8), 16u);
  EXPECT_EQ(refused(KAWARA_RUN_REGIONS_WORD, 16), 24u);
  EXPECT_EQ(refused(KAWARA_RUN_RECORD_WORD, 32), 32u);
}

TEST(Packet, SignalsAndClearsMustBeAligned) {
  kawara_packet signal{{KAWARA_PACKET_SIGNAL, 0, 32}};
  EXPECT_EQ(decode(signal).error().field, 8u);
  kawara_packet address{{KAWARA_PACKET_CLEAR, 0, 2048}};
  EXPECT_EQ(decode(address).error().field, 8u);
  kawara_packet size{{KAWARA_PACKET_CLEAR, 0, 0, 0, 64}};
  EXPECT_EQ(decode(size).error().field, 16u);
}

}  // namespace
}  // namespace kawara::emulator
