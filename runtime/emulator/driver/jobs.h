// SPDX-License-Identifier: Apache-2.0
// What clients have submitted: queues, and in them submissions, whose jobs end one after another.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "emulator/driver/timeline.h"
#include "emulator/driver/vm.h"
#include "intrusive_queue.h"
#include "kawara/hw/ring.h"
#include "node.h"

namespace kawara::emulator {

// Jobs that were submitted together and the points that move when all have ended. A unit is a job; a submission without
// jobs has one unit, which moves points in their turn.
struct Submission {
  std::vector<kawara_packet> packets;  // of the jobs
  std::vector<TimelinePoint> waits, signals;
  uint64_t ticket = 0;     // counts the submissions of a VM
  size_t emitted = 0;      // units that are in the ring, or were
  size_t ended = 0;        // units
  bool cancelled = false;  // at least one unit never ran to its end
  Submission* next = nullptr;

  size_t units() const { return std::max<size_t>(1, packets.size()); }
  bool over() const { return ended == units(); }

  // A new submission in the place of one that is over, whose room it takes. Throws invalid_argument for a job that the
  // chip would refuse.
  void renew(uint32_t context, std::span<const NodeJob> jobs, std::span<const TimelinePoint> wait_for,
             std::span<const TimelinePoint> then_signal);
};

struct UserQueue {
  std::shared_ptr<Vm> vm;
  unsigned ring = 0;
  std::chrono::milliseconds timeout{};
  QueueState state;
  bool closed = false;
  IntrusiveQueue<Submission> pending;  // not emitted, or in part

  bool ready() const { return state.kind == QueueState::Kind::ready; }
};

}  // namespace kawara::emulator
