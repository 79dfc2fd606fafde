// SPDX-License-Identifier: Apache-2.0
#include "emulator/driver/ring.h"

#include <atomic>
#include <cstring>

#include "kawara/hw/ring.h"

namespace kawara::emulator {
namespace {

constexpr uint32_t kLog2Packets = 8;
constexpr uint32_t kPackets = 1u << kLog2Packets;

}  // namespace

Ring::Ring(Chip& chip, std::shared_ptr<Bus> bus, unsigned index, unsigned priority)
    : chip_(chip), index_(index), priority_(priority), packets_(bus, kPackets * sizeof(kawara_packet)), record_(bus, 4096) {
  jobs_.reserve(kawara_ring_credits(kPackets));
}

void Ring::set(uint32_t queue_register, uint32_t value) {
  chip_.write(KAWARA_QUEUE_BASE + KAWARA_QUEUE_STRIDE * index_ + queue_register, value);
}

void Ring::start() {
  set(KAWARA_QUEUE_RING_BASE_LO, static_cast<uint32_t>(packets_.bus_address()));
  set(KAWARA_QUEUE_RING_BASE_HI, static_cast<uint32_t>(packets_.bus_address() >> 32));
  set(KAWARA_QUEUE_RING_SIZE, KAWARA_PUT(QUEUE_RING_SIZE_LOG2_PACKETS, kLog2Packets));
  set(KAWARA_QUEUE_HEAD, 0);
  set(KAWARA_QUEUE_TAIL, 0);
  tail_ = 0;
  for (RingJob& job : jobs_) write(job);
  set(KAWARA_QUEUE_CONTROL,
      KAWARA_PUT(QUEUE_CONTROL_ENABLE, 1) | KAWARA_PUT(QUEUE_CONTROL_PRIORITY, priority_) | KAWARA_PUT(QUEUE_CONTROL_VECTOR, index_));
  stopped_ = false;
  if (tail_) set(KAWARA_QUEUE_TAIL, tail_);
}

bool Ring::room() const { return !stopped_ && jobs_.size() < kawara_ring_credits(kPackets); }

void Ring::push(const std::optional<kawara_packet>& packet, std::shared_ptr<UserQueue> queue, Submission& submission) {
  jobs_.push_back({packet, std::move(queue), &submission, ++last_value_, tail_});
  write(jobs_.back());
  set(KAWARA_QUEUE_TAIL, tail_);
}

void Ring::write(RingJob& job) {
  job.first_packet = tail_;
  if (job.packet) put(*job.packet);
  const kawara_signal_packet signal{.address = record_.bus_address(), .value = job.value, .interrupt = 1};
  kawara_packet packet;
  // A record that begins a page is aligned, which is all that a signal must be.
  kawara_pack_signal(&packet, &signal);
  put(packet);
}

void Ring::put(const kawara_packet& packet) {
  std::memcpy(packets_.bytes().data() + kawara_ring_slot(tail_, kPackets) * sizeof packet, &packet, sizeof packet);
  ++tail_;
}

uint64_t Ring::signalled() const {
  auto* record = reinterpret_cast<kawara_signal*>(record_.bytes().data());
  return std::atomic_ref(record->value).load(std::memory_order_acquire);
}

std::optional<RingJob> Ring::retire() {
  if (jobs_.empty() || jobs_.front().value > signalled()) return std::nullopt;
  std::optional<RingJob> retired = std::move(jobs_.front());
  jobs_.erase(jobs_.begin());
  return retired;
}

std::vector<RingJob> Ring::remove(const std::function<bool(const RingJob&)>& which) {
  std::vector<RingJob> removed;
  std::erase_if(jobs_, [&](RingJob& job) {
    if (!which(job)) return false;
    removed.push_back(std::move(job));
    return true;
  });
  return removed;
}

void Ring::skip_work(uint32_t packet) {
  for (RingJob& job : jobs_) {
    if (job.packet && job.first_packet + 1 == packet) job.packet.reset();
  }
}

const RingJob* Ring::at_packet(uint32_t packet) const {
  const RingJob* found = nullptr;
  for (const RingJob& job : jobs_) {
    if (static_cast<int32_t>(packet - job.first_packet) >= 0) found = &job;
  }
  return found;
}

}  // namespace kawara::emulator
