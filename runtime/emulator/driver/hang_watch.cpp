// SPDX-License-Identifier: Apache-2.0
#include "emulator/driver/hang_watch.h"

#include "kawara/hw/hw.h"

namespace kawara::emulator {
namespace {

// WORK moves at least every 200 ms while a queue runs; more, because the chip's threads compete with the host's.
constexpr std::chrono::milliseconds kHangLimit{1000};

}  // namespace

Verdict HangWatch::look(const RingSight& sight, Time now) {
  if (sight.signalled >= sight.job) return Verdict::complete;
  if (sight.state == ~0u) return Verdict::gone;
  const uint32_t state = KAWARA_GET(sight.state, QUEUE_STATE_STATE);
  if (state == KAWARA_QUEUE_FAULTED) return Verdict::reset_queue;  // its interrupt was lost
  const bool fresh = sight.job != job_ || state != KAWARA_QUEUE_RUNNING;
  if (fresh) ran_since_ = now;
  if (fresh || sight.work != work_) moved_ = now;
  job_ = sight.job;
  work_ = sight.work;
  return now - moved_ > kHangLimit || now - ran_since_ > sight.timeout ? Verdict::reset_queue : Verdict::wait;
}

}  // namespace kawara::emulator
