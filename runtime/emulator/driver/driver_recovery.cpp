// SPDX-License-Identifier: Apache-2.0
// The driver's worker: faults, hangs, resets and the end of address spaces.
#include "emulator/driver/driver.h"

#include <algorithm>

namespace kawara::emulator {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kWatchPeriod = 100ms;
constexpr auto kDeviceResetLimit = 1s;
constexpr std::chrono::milliseconds kDriverTimeout = 60s;

uint64_t milliseconds(Clock::duration time) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

}  // namespace

// Between two looks at a busy chip the worker sleeps with a limit; only an idle one has to be told that there is work.
void Driver::watch() {
  if (watching_) return;
  watching_ = true;
  wake_.notify_all();
}

void Driver::work() {
  Lock lock(mutex_);
  while (!stopping_) {
    if (std::exchange(faulted_, false)) {
      lock.unlock();
      handle_faults_unlocked();
      lock.lock();
    } else if (std::exchange(reset_wanted_, false)) {
      lock.unlock();
      reset_device_unlocked();
      lock.lock();
    } else if (Vm* vm = dead_vm()) {
      lock.unlock();
      bury_unlocked(*vm);
      lock.lock();
    } else if (!watching_) {
      wake_.wait(lock);
    } else if (Clock::now() < next_look_) {
      wake_.wait_until(lock, next_look_);
    } else {
      next_look_ = Clock::now() + kWatchPeriod;
      watching_ = std::ranges::any_of(rings_, [](const auto& ring) { return !ring->jobs().empty(); });
      lock.unlock();
      watch_rings_unlocked();
      lock.lock();
    }
  }
}

uint32_t Driver::read(const Ring& ring, uint32_t queue_register) {
  return chip_->read(KAWARA_QUEUE_BASE + KAWARA_QUEUE_STRIDE * ring.index() + queue_register);
}

void Driver::handle_faults_unlocked() {
  const uint32_t reg = KAWARA_REGISTER(GLOBAL, 0, INTERRUPT_STATUS);
  const uint32_t status = chip_->read(reg);
  chip_->write(reg, status);
  // An INTERNAL error comes with the fault of the queue that met it; other queues need not suffer. ECC may have hit anyone.
  if (status & KAWARA_GLOBAL_INTERRUPT_STATUS_ECC) return reset_device_unlocked();
  for (const auto& ring : rings_) {
    const bool named = KAWARA_GET(status, GLOBAL_INTERRUPT_STATUS_QUEUE_FAULT) >> ring->index() & 1;
    // A look at the ring may have come first: then the fault is gone, and what runs there now is innocent.
    if (named && (read(*ring, KAWARA_QUEUE_FAULT) & KAWARA_QUEUE_FAULT_VALID)) reset_queue_unlocked(*ring);
  }
}

void Driver::watch_rings_unlocked() {
  for (size_t i = 0; i < rings_.size(); ++i) {
    Ring& ring = *rings_[i];
    kawara_verdict verdict = KAWARA_VERDICT_WAIT;
    {
      const Lock lock(mutex_);
      if (ring.jobs().empty() || ring.stopped()) continue;
      const RingJob& job = ring.jobs().front();
      const auto timeout = job.queue ? job.queue->timeout : kDriverTimeout;
      const kawara_sight sight{.job = job.value,
                               .signalled = ring.signalled(),
                               .state = read(ring, KAWARA_QUEUE_STATE),
                               .work = read(ring, KAWARA_QUEUE_WORK),
                               .timeout_ms = milliseconds(timeout)};
      verdict = kawara_watch_look(&watches_[i], &sight, milliseconds(Clock::now().time_since_epoch()));
      if (verdict == KAWARA_VERDICT_COMPLETE) {
        retire(ring);
        advance();
        changed_.notify_all();
      }
    }
    switch (verdict) {
      case KAWARA_VERDICT_WAIT:
      case KAWARA_VERDICT_COMPLETE: break;
      case KAWARA_VERDICT_RESET_QUEUE: reset_queue_unlocked(ring); break;
      case KAWARA_VERDICT_RESET_DEVICE:
      case KAWARA_VERDICT_GONE: return reset_device_unlocked();
    }
  }
}

Fault Driver::read_fault(const Ring& ring) {
  const uint32_t fault = read(ring, KAWARA_QUEUE_FAULT);
  if (!(fault & KAWARA_QUEUE_FAULT_VALID)) return {};
  const uint64_t low = read(ring, KAWARA_QUEUE_FAULT_ADDRESS_LO);
  return {.code = KAWARA_GET(fault, QUEUE_FAULT_CODE),
          .engine = KAWARA_GET(fault, QUEUE_FAULT_ENGINE),
          .command = read(ring, KAWARA_QUEUE_FAULT_COMMAND),
          .debug_id = read(ring, KAWARA_QUEUE_FAULT_DEBUG_ID),
          .field = read(ring, KAWARA_QUEUE_FAULT_FIELD),
          .write = (fault & KAWARA_QUEUE_FAULT_WRITE) != 0,
          .address = uint64_t{read(ring, KAWARA_QUEUE_FAULT_ADDRESS_HI)} << 32 | low};
}

void Driver::reset_queue_unlocked(Ring& ring) {
  {
    const Lock lock(mutex_);
    ring.stop();
  }
  chip_->write(KAWARA_REGISTER(QUEUE, ring.index(), RESET), KAWARA_PUT(QUEUE_RESET_GO, 1));
  const auto start = Clock::now();
  kawara_verdict verdict;
  while ((verdict = kawara_reset_verdict(read(ring, KAWARA_QUEUE_STATE), milliseconds(Clock::now() - start))) == KAWARA_VERDICT_WAIT) {
    std::this_thread::sleep_for(50us);
  }
  if (verdict != KAWARA_VERDICT_COMPLETE) return reset_device_unlocked();
  // From here on the ring is still, and its FAULT and HEAD are final.
  Fault fault = read_fault(ring);
  const uint32_t head = read(ring, KAWARA_QUEUE_HEAD);
  const auto kind = fault.code == KAWARA_FAULT_none ? QueueState::Kind::timed_out : QueueState::Kind::faulted;
  if (kind == QueueState::Kind::timed_out) {
    fault.code = KAWARA_FAULT_engine_hang;
    fault.command = read(ring, KAWARA_QUEUE_COMMAND);
  }
  const Lock lock(mutex_);
  retire(ring);
  if (const RingJob* job = ring.at_packet(head)) {
    if (job->packet && job->first_packet == head) {
      fail_job(ring, *job, kind, fault);
    } else {
      ring.skip_work(head);  // it ran; only its signal is missing
    }
  }
  ring.start();
  advance();
  changed_.notify_all();
}

// The job did not end, and cannot run again: its queue dies. Jobs of others behind it have not started.
void Driver::fail_job(Ring& ring, const RingJob& job, QueueState::Kind kind, Fault fault) {
  const std::shared_ptr<UserQueue> queue = job.queue;
  const uint64_t value = job.value;
  if (queue) fault.tag = kawara_packet_get64(&*job.packet, KAWARA_RUN_TAG_WORD);
  if (queue && queue->ready()) {
    queue->state.kind = kind;
    queue->state.fault = fault;
  }
  for (const RingJob& removed :
       ring.remove([&](const RingJob& other) { return other.value == value || (queue && other.queue == queue); })) {
    end(removed, false);
  }
  if (queue) cancel_pending(*queue);
}

void Driver::reset_device_unlocked() {
  {
    const Lock lock(mutex_);
    for (const auto& ring : rings_) ring->stop();
  }
  chip_->write(KAWARA_REGISTER(GLOBAL, 0, RESET), KAWARA_RESET_KEY);
  const auto limit = Clock::now() + kDeviceResetLimit;
  bool ready = false;
  while (!ready && Clock::now() < limit) {
    const uint32_t status = chip_->read(KAWARA_REGISTER(GLOBAL, 0, STATUS));
    ready = status != ~0u && (status & KAWARA_GLOBAL_STATUS_READY);
    if (!ready) std::this_thread::sleep_for(1ms);
  }
  const Lock lock(mutex_);
  gone_ = !ready;
  for (const auto& ring : rings_) {
    retire(*ring);
    for (const RingJob& job : ring->remove([](const RingJob&) { return true; })) end(job, false);
  }
  for (const auto& queue : queues_) {
    if (queue->ready()) queue->state.kind = QueueState::Kind::lost;
    cancel_pending(*queue);
  }
  for (const auto& vm : vms_) vm->lost = true;
  if (ready) start_chip();
  changed_.notify_all();
}

Vm* Driver::dead_vm() {
  const auto dead = [](const std::shared_ptr<Vm>& vm) { return vm->closed && vm->in_rings == 0 && vm->unfinished.empty(); };
  const auto found = std::ranges::find_if(vms_, dead);
  return found == vms_.end() ? nullptr : found->get();
}

void Driver::bury_unlocked(Vm& vm) {
  if (!vm.lost) {
    chip_->write(KAWARA_REGISTER(CONTEXT, vm.context, ROOT_LO), 0);
    if (!invalidate_unlocked(vm.context)) return reset_device_unlocked();  // and then it is lost
  }
  std::shared_ptr<Vm> last;  // its pages end outside the lock
  const Lock lock(mutex_);
  const auto found = std::ranges::find(vms_, &vm, &std::shared_ptr<Vm>::get);
  last = std::move(*found);
  vms_.erase(found);
  contexts_[vm.context] = false;
  changed_.notify_all();
}

}  // namespace kawara::emulator
