// SPDX-License-Identifier: Apache-2.0
#include "kawara/hw/ring.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <random>

namespace kawara {
namespace {

constexpr uint64_t kLocalBytes = 64 << 20;

std::optional<uint32_t> refused_word(const kawara_packet& packet) {
  const kawara_packet_fault fault = kawara_packet_check(&packet, kLocalBytes);
  if (fault.code == KAWARA_FAULT_none) return std::nullopt;
  EXPECT_EQ(fault.code, KAWARA_FAULT_bad_packet);
  return fault.word;
}

// Which bits of which word an opcode uses, written out by hand.
uint32_t named_bits(uint32_t opcode, uint32_t word) {
  switch (opcode) {
    case KAWARA_PACKET_RUN:
      if (word == 0) return 0xffff00ff;
      if (word == 2) return 0xffff;
      return word == 1 || (word >= 4 && word <= 11) ? ~0u : 0;
    case KAWARA_PACKET_SIGNAL: return word == 0 ? 0x1ff : word >= 2 && word <= 5 ? ~0u : 0;
    case KAWARA_PACKET_CLEAR: return word == 0 ? 0xff : word >= 2 && word <= 5 ? ~0u : 0;
    default: return word == 0 ? 0xff : 0;
  }
}

kawara_run_packet any_run() {
  return {.context = 255,
          .command_bytes = 1 << 24,
          .region_count = 4096,
          .commands = 0x7f'ffff'fff0,
          .regions = 0x7f'ffff'ffe0,
          .record = 0x7f'ffff'ffc0,
          .tag = ~0ull};
}

TEST(Packet, EveryBitThatNoRowNamesIsRefusedWithItsWord) {
  for (uint32_t opcode : {KAWARA_PACKET_NOP, KAWARA_PACKET_RUN, KAWARA_PACKET_SIGNAL, KAWARA_PACKET_CLEAR}) {
    ASSERT_EQ(refused_word({{opcode}}), std::nullopt);
    for (uint32_t word = 0; word < 16; ++word)
      for (uint32_t bit = word == 0 ? 8 : 0; bit < 32; ++bit) {
        if ((named_bits(opcode, word) >> bit & 1) != 0) continue;
        kawara_packet packet{{opcode}};
        packet.word[word] |= 1u << bit;
        EXPECT_EQ(refused_word(packet), word) << opcode << " " << bit;
      }
  }
}

TEST(Packet, AnUnknownOpcodeIsRefused) {
  for (uint32_t opcode = 0; opcode < 256; ++opcode) EXPECT_EQ(refused_word({{opcode}}).has_value(), opcode < 1 || opcode > 4) << opcode;
}

TEST(Packet, AJobComesOutAsItWentIn) {
  const kawara_run_packet in = any_run();
  kawara_packet packet;
  ASSERT_EQ(kawara_pack_run(&packet, &in).code, KAWARA_FAULT_none);
  const kawara_run_packet out = kawara_unpack_run(&packet);
  EXPECT_EQ(kawara_packet_opcode_of(&packet), uint32_t{KAWARA_PACKET_RUN});
  EXPECT_EQ(out.context, in.context);
  EXPECT_EQ(out.command_bytes, in.command_bytes);
  EXPECT_EQ(out.region_count, in.region_count);
  EXPECT_EQ(out.commands, in.commands);
  EXPECT_EQ(out.regions, in.regions);
  EXPECT_EQ(out.record, in.record);
  EXPECT_EQ(out.tag, in.tag);
}

TEST(Packet, AJobOutsideItsLimitsIsRefusedWithTheWord) {
  const auto refused = [](auto change) {
    kawara_run_packet run = any_run();
    change(run);
    kawara_packet packet;
    const kawara_packet_fault fault = kawara_pack_run(&packet, &run);
    EXPECT_EQ(fault.code, KAWARA_FAULT_bad_packet);
    return fault.word;
  };
  EXPECT_EQ(refused([](auto& run) { run.command_bytes += 16; }), 1u);
  EXPECT_EQ(refused([](auto& run) { run.command_bytes = 24; }), 1u);
  EXPECT_EQ(refused([](auto& run) { run.region_count = 4097; }), 2u);
  EXPECT_EQ(refused([](auto& run) { run.region_count = 0x10001; }), 2u) << "what does not fit its field never becomes a smaller number";
  EXPECT_EQ(refused([](auto& run) { run.commands += 8; }), 4u);
  EXPECT_EQ(refused([](auto& run) { run.regions += 16; }), 6u);
  EXPECT_EQ(refused([](auto& run) { run.record += 32; }), 8u);
}

TEST(Packet, AContextThatTheChipLacksIsInvalid) {
  for (const uint32_t context : {256u, 0xffffu, 0x10001u}) {
    kawara_run_packet run = any_run();
    run.context = context;
    kawara_packet packet;
    EXPECT_EQ(kawara_pack_run(&packet, &run).code, KAWARA_FAULT_context_invalid) << context;
  }
}

TEST(Packet, SignalsComeOutAsTheyWentInAndMustBeAligned) {
  for (const int interrupt : {0, 1, 256}) {
    kawara_signal_packet in{.address = 0xffff'ffff'ffff'ffc0, .value = 0x1234'5678'9abc'def0, .interrupt = interrupt};
    kawara_packet packet;
    ASSERT_EQ(kawara_pack_signal(&packet, &in).code, KAWARA_FAULT_none);
    const kawara_signal_packet out = kawara_unpack_signal(&packet);
    EXPECT_EQ(out.address, in.address);
    EXPECT_EQ(out.value, in.value);
    EXPECT_EQ(out.interrupt, interrupt != 0);
    in.address -= 32;
    EXPECT_EQ(kawara_pack_signal(&packet, &in).word, 2u);
  }
}

TEST(Packet, AClearStaysInLocalMemory) {
  const auto refused = [](uint64_t address, uint64_t size) {
    const kawara_clear_packet clear{.address = address, .size = size};
    kawara_packet packet;
    const kawara_packet_fault fault = kawara_pack_clear(&packet, &clear, kLocalBytes);
    EXPECT_EQ(kawara_unpack_clear(&packet).address, address);
    EXPECT_EQ(kawara_unpack_clear(&packet).size, size);
    return fault.code == KAWARA_FAULT_none ? 0u : fault.word;
  };
  EXPECT_EQ(refused(0, kLocalBytes), 0u);
  EXPECT_EQ(refused(kLocalBytes - 4096, 4096), 0u);
  EXPECT_EQ(refused(kLocalBytes, 0), 0u);
  EXPECT_EQ(refused(2048, 4096), 2u);
  EXPECT_EQ(refused(kLocalBytes + 4096, 0), 2u);
  EXPECT_EQ(refused(0, 64), 4u);
  EXPECT_EQ(refused(4096, kLocalBytes), 4u);
  EXPECT_EQ(refused(kLocalBytes - 4096, ~0ull << 12), 4u) << "address and size wrap around";
}

TEST(Packet, WhatTheCheckLetsThroughIsWhatPackingMakes) {
  std::mt19937 random(1);
  int let_through = 0;
  for (int round = 0; round < 200'000; ++round) {
    kawara_packet packet{{static_cast<uint32_t>(1 + random() % 4)}};
    // Few bits, mostly aligned, so that many packets are right.
    for (int flips = static_cast<int>(random() % 6); flips > 0; --flips)
      packet.word[random() % 12] ^= 1u << (random() % 2 ? 12 + random() % 20 : random() % 32);
    if (kawara_packet_check(&packet, kLocalBytes).code != KAWARA_FAULT_none) continue;
    ++let_through;
    kawara_packet again{};
    switch (kawara_packet_opcode_of(&packet)) {
      case KAWARA_PACKET_NOP: kawara_pack_nop(&again); break;
      case KAWARA_PACKET_RUN: {
        const auto run = kawara_unpack_run(&packet);
        kawara_pack_run(&again, &run);
        break;
      }
      case KAWARA_PACKET_SIGNAL: {
        const auto signal = kawara_unpack_signal(&packet);
        kawara_pack_signal(&again, &signal);
        break;
      }
      case KAWARA_PACKET_CLEAR: {
        const auto clear = kawara_unpack_clear(&packet);
        kawara_pack_clear(&again, &clear, kLocalBytes);
        break;
      }
    }
    for (int word = 0; word < 16; ++word) ASSERT_EQ(packet.word[word], again.word[word]) << round << " " << word;
  }
  EXPECT_GT(let_through, 20'000);
}

TEST(Ring, HasSixteenTo4096Packets) {
  for (uint32_t log2 = 0; log2 < 16; ++log2) EXPECT_EQ(kawara_ring_packets(log2), log2 < 4 || log2 > 12 ? 0u : 1u << log2);
}

TEST(Ring, TwoPacketsForEachCreditNeverPassHead) {
  for (uint32_t packets = 16; packets <= 4096; packets *= 2) {
    EXPECT_LT(2 * kawara_ring_credits(packets), packets);
    EXPECT_GE(2 * kawara_ring_credits(packets), packets - 2);
  }
}

TEST(Ring, CountsRunFreelyOverTheirEnd) {
  const uint32_t head = std::numeric_limits<uint32_t>::max() - 3;
  EXPECT_EQ(kawara_ring_slot(head, 16), 12u);
  EXPECT_EQ(kawara_ring_slot(head + 4, 16), 0u);
  EXPECT_FALSE(kawara_ring_overrun(head, head, 16));
  EXPECT_FALSE(kawara_ring_overrun(head, head + 16, 16));
  EXPECT_TRUE(kawara_ring_overrun(head, head + 17, 16));
  EXPECT_TRUE(kawara_ring_overrun(head, head - 1, 16));
  EXPECT_TRUE(kawara_ring_overrun(head, head + 1, 0)) << "no ring at all";
}

}  // namespace
}  // namespace kawara
