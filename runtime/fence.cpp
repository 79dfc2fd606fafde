// SPDX-License-Identifier: Apache-2.0
#include "kawara/fence.h"

#include <atomic>
#include <utility>
#include <vector>

#include "device_state.h"
#include "job_fidelity.h"
#include "kawara/error.h"
#include "kawara/log.h"

namespace kawara {
namespace {

// The record's status is written last; what lies before it is then there.
bool done_well(const RecordSlot& slot) { return std::atomic_ref(slot.record->status).load(std::memory_order_acquire) == 1; }

// A deadline that far in the future, without overflow; negative timeouts have passed already.
Deadline deadline_in(std::chrono::nanoseconds timeout) {
  const Deadline now = std::chrono::steady_clock::now();
  return timeout > Deadline::max() - now ? Deadline::max() : now + timeout;
}

}  // namespace

void Fence::State::let_go() {
  // A forked child leaves everything as it is: it is the parent's.
  if (device->forked() || holders.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  queue.reset(), commands.reset(), regions.reset();
  const std::shared_ptr<Device::State> owner = std::move(device);  // maybe the last, and then this fence goes with it
  owner->give_back(*this);
}

bool Fence::State::over() const { return point == 0 || done_well(slot) || reached(); }

bool Fence::State::reached() const {
  const Point end{device->timeline, point};
  return device->node->wait({&end, 1}, Deadline::min(), true).has_value();
}

void Fence::State::check() const {
  if (done_well(slot)) return;
  const QueueState state = device->node->queue_state(queue->id());
  const auto text = [&] {
    const auto bytes = commands->bound.mapping.bytes();
    const bool own = state.fault.tag == point;
    return describe(state.fault, own ? bytes.first(command_bytes) : std::span<std::byte>());
  };
  switch (state.kind) {
    case QueueState::Kind::faulted:
    case QueueState::Kind::timed_out:
      if (state.fault.tag == point) {
        if (!told.test_and_set()) log(LogLevel::info, "'{}': a job faulted: {}", device->name, text());
        throw fail(Code::device_fault, "{}", text());
      }
      throw fail(Code::queue_dead, "the job was cancelled when an earlier one failed: {}", text());
    case QueueState::Kind::lost: throw fail(Code::device_lost, "the device was reset before the job had ended");
    case QueueState::Kind::ready: break;
  }
  throw fail(Code::internal, "a job ended without its record and without a fault");
}

std::optional<Fault> Fence::State::own_fault() const {
  if (!reached() || done_well(slot)) return std::nullopt;
  const QueueState state = device->node->queue_state(queue->id());
  if (state.kind == QueueState::Kind::ready || state.kind == QueueState::Kind::lost || state.fault.tag != point) return std::nullopt;
  Fault fault = state.fault;
  fault.tag = tag;
  return fault;
}

Fence::Fence(State& state) : state_(&state) { state.hold(); }
Fence::Fence(const Fence& other) : state_(other.state_) {
  if (state_) state_->hold();
}
Fence::Fence(Fence&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
Fence& Fence::operator=(Fence other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}
Fence::~Fence() {
  if (state_) state_->let_go();
}

bool Fence::done() const { return !state_ || state_->reached(); }

WaitResult Fence::wait(std::chrono::nanoseconds timeout) const {
  if (!state_) return WaitResult::signaled;
  const Point end{state_->device->timeline, state_->point};
  if (!state_->device->node->wait({&end, 1}, deadline_in(timeout), true)) return WaitResult::timed_out;
  state_->check();
  return WaitResult::signaled;
}

void Fence::wait() const { wait(std::chrono::nanoseconds::max()); }

std::optional<Fault> Fence::fault() const { return state_ ? state_->own_fault() : std::nullopt; }

JobReport Fence::report() const {
  if (!state_ || !state_->reached() || !done_well(state_->slot)) return {};
  const kawara_record& record = *state_->slot.record;
  return {.commands = record.commands,
          .cycles = record.cycles,
          .nan = record.nan,
          .inf = record.inf,
          .saturated = record.saturated,
          .dropped = record.dropped,
          .fidelity = fidelity_of(state_->commands->bound.mapping.bytes().first(state_->command_bytes))};
}

}  // namespace kawara
