// SPDX-License-Identifier: Apache-2.0
#include "emulator/driver/jobs.h"

#include <string_view>

#include "kawara/error.h"

namespace kawara::emulator {
namespace {

// Name and rule of a run packet's word.
std::string_view rule_of(uint32_t word) {
#define PACKET_FIELD(packet, name, at, high, low, doc) \
  if (KAWARA_PACKET_##packet == KAWARA_PACKET_RUN && word == (at)) return #name ": " doc;
#define PACKET_FIELD64(packet, name, at, doc) PACKET_FIELD(packet, name, at, 31, 0, doc)
#include "kawara/hw/packets.def"
  return "no field";
}

}  // namespace

void Submission::renew(uint32_t context, std::span<const NodeJob> jobs, std::span<const TimelinePoint> wait_for,
                       std::span<const TimelinePoint> then_signal) {
  waits.assign(wait_for.begin(), wait_for.end());
  signals.assign(then_signal.begin(), then_signal.end());
  ticket = 0;
  emitted = ended = 0;
  cancelled = false;
  packets.resize(jobs.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    const kawara_run_packet run{.context = context,
                                .command_bytes = jobs[i].command_bytes,
                                .region_count = jobs[i].region_count,
                                .commands = static_cast<uint64_t>(jobs[i].commands),
                                .regions = static_cast<uint64_t>(jobs[i].regions),
                                .record = static_cast<uint64_t>(jobs[i].record),
                                .tag = jobs[i].tag};
    const kawara_packet_fault broken = kawara_pack_run(&packets[i], &run);
    if (broken.code != KAWARA_FAULT_none) throw fail(Code::invalid_argument, "job {} breaks the rule of {}", i, rule_of(broken.word));
  }
}

}  // namespace kawara::emulator
