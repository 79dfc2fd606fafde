// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "kawara/hw/page_table.h"
#include "kawara/hw/recovery.h"
#include "kawara/hw/ring.h"

extern "C" {
kawara_packet run_made_in_c(kawara_u64 commands, kawara_packet_fault* fault);
kawara_u64 walk_made_in_c(kawara_u64 va, kawara_u64 target);
kawara_verdict verdict_made_in_c(kawara_u32 state, kawara_u64 still_ms);
}

namespace kawara {
namespace {

TEST(WireInC, APacketIsTheSame) {
  kawara_packet_fault fault{};
  const kawara_packet packet = run_made_in_c(0x123450, &fault);
  EXPECT_EQ(fault.code, KAWARA_FAULT_none);
  EXPECT_EQ(packet.word[0], KAWARA_PACKET_RUN | 7u << 16);
  EXPECT_EQ(kawara_unpack_run(&packet).commands, 0x123450u);
  run_made_in_c(0x123458, &fault);
  EXPECT_EQ(fault.code, KAWARA_FAULT_bad_packet);
  EXPECT_EQ(fault.word, 4u);
}

TEST(WireInC, AMappingIsWalked) { EXPECT_EQ(walk_made_in_c(0x12'3456'7890, 0x8000), 0x8890u); }

TEST(WireInC, AVerdictIsTheSame) {
  EXPECT_EQ(verdict_made_in_c(KAWARA_QUEUE_RUNNING, 0), KAWARA_VERDICT_WAIT);
  EXPECT_EQ(verdict_made_in_c(KAWARA_QUEUE_RUNNING, 2000), KAWARA_VERDICT_RESET_QUEUE);
}

}  // namespace
}  // namespace kawara
