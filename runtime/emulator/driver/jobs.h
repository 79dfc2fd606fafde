// SPDX-License-Identifier: Apache-2.0
// What clients have submitted: queues, and in them submissions, whose jobs end one after another.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "emulator/driver/timeline.h"
#include "emulator/driver/vm.h"
#include "kawara/hw/ring.h"
#include "node.h"

namespace kawara::emulator {

// Jobs that were submitted together and the points that move when all have ended. A unit is a job; a submission without
// jobs has one unit, which moves points in their turn.
struct Submission {
  std::vector<NodeJob> jobs;
  std::vector<kawara_packet> packets;  // of the jobs
  std::vector<TimelinePoint> waits, signals;
  uint64_t ticket = 0;     // counts the submissions of a VM
  size_t emitted = 0;      // units that are in the ring, or were
  size_t ended = 0;        // units
  bool cancelled = false;  // at least one unit never ran to its end

  size_t units() const { return std::max<size_t>(1, jobs.size()); }
  bool over() const { return ended == units(); }

  // Makes the packets. Throws invalid_argument for a job that the chip would refuse.
  void pack(uint32_t context);
};

struct UserQueue {
  std::shared_ptr<Vm> vm;
  unsigned ring = 0;
  std::chrono::milliseconds timeout{};
  QueueState state;
  bool closed = false;
  std::deque<std::shared_ptr<Submission>> pending;  // not emitted, or in part

  bool ready() const { return state.kind == QueueState::Kind::ready; }
};

}  // namespace kawara::emulator
