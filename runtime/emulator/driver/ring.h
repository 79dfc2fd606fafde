// SPDX-License-Identifier: Apache-2.0
// One queue of the chip as the driver uses it: jobs stand in its ring, each followed by a signal, and retire in order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "emulator/chip/chip.h"
#include "emulator/driver/host_pages.h"
#include "emulator/driver/jobs.h"
#include "kawara/hw/hw.h"

namespace kawara::emulator {

// What stands in a ring: work of a client (`queue` is set) or of the driver itself. Without a packet: its signal alone.
struct RingJob {
  std::optional<kawara_packet> packet;
  std::shared_ptr<UserQueue> queue;
  Submission* submission = nullptr;
  uint64_t value = 0;         // its signal's
  uint32_t first_packet = 0;  // free running
};

// The driver's lock guards it. Credits bound it, so that it never looks where the chip stands.
class Ring {
 public:
  Ring(Chip& chip, std::shared_ptr<Bus> bus, unsigned index, unsigned priority);

  // Enables the queue, which is disabled, and writes every job that it still has.
  void start();
  // Between stop() and start() nothing is written.
  void stop() { stopped_ = true; }

  bool room() const;
  // Only with room. The arguments as in RingJob.
  void push(const std::optional<kawara_packet>& packet, std::shared_ptr<UserQueue> queue, Submission& submission);

  uint64_t signalled() const;       // value of the last signal
  std::optional<RingJob> retire();  // the first job, if the signals are past it
  std::vector<RingJob> remove(const std::function<bool(const RingJob&)>& which);

  unsigned index() const { return index_; }
  const std::vector<RingJob>& jobs() const { return jobs_; }
  bool stopped() const { return stopped_; }
  // The job at the packet has run, but its signal was not written: start() writes that alone.
  void skip_work(uint32_t packet);
  // Job that the packet belongs to, or null.
  const RingJob* at_packet(uint32_t packet) const;

 private:
  void write(RingJob& job);
  void put(const kawara_packet& packet);
  void set(uint32_t queue_register, uint32_t value);

  Chip& chip_;
  unsigned index_, priority_;
  HostPages packets_, record_;
  std::vector<RingJob> jobs_;  // with room for all that credits allow
  uint64_t last_value_ = 0;
  uint32_t tail_ = 0;
  bool stopped_ = true;
};

}  // namespace kawara::emulator
