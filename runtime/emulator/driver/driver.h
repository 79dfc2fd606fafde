// SPDX-License-Identifier: Apache-2.0
// The driver of one emulated chip, as the kernel's would be: it reaches the chip by registers, rings, page tables and
// interrupts alone. Clients are told apart above it (emulator_node.h); here they share rings, contexts and local memory.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "emulator/chip/chip.h"
#include "emulator/driver/jobs.h"
#include "emulator/driver/ring.h"
#include "emulator/driver/vm.h"
#include "kawara/hw/recovery.h"
#include "node.h"

namespace kawara::emulator {

// Thread-safe. Never destroyed by one of the chip's threads.
class Driver {
 public:
  Driver(const kawara_config& config, ExecutorFactory executor);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void fill(NodeInfo& info);
  ChipCounters counters() const { return chip_->counters(); }

  std::shared_ptr<BufferObject> bo_create(Memory memory, uint64_t size_bytes);

  std::shared_ptr<Vm> vm_create();
  bool vm_close(const std::shared_ptr<Vm>& vm);  // false while it has queues
  // buffers: one for each operation, null for those that unmap.
  void bind(const std::shared_ptr<Vm>& vm, std::span<const BindOp> operations, std::span<const std::shared_ptr<BufferObject>> buffers);

  std::shared_ptr<UserQueue> queue_create(const std::shared_ptr<Vm>& vm, Priority priority, std::chrono::milliseconds timeout);
  void queue_close(const std::shared_ptr<UserQueue>& queue);
  QueueState queue_state(const UserQueue& queue);
  void submit(const std::shared_ptr<UserQueue>& queue, std::span<const NodeJob> jobs, std::span<const TimelinePoint> waits,
              std::span<const TimelinePoint> signals);

  std::optional<size_t> wait(std::span<const TimelinePoint> points, Deadline deadline, bool all);
  void inject_hang(const UserQueue& queue, uint32_t command);  // by the chip's test block
  void notify(const TimelinePoint& point, FileDescriptor eventfd);

 private:
  using Lock = std::unique_lock<std::mutex>;

  // Called with the lock held, unless the name says otherwise.
  void advance();  // emits whatever may be emitted
  bool emit(const std::shared_ptr<UserQueue>& queue);
  void end_units(Submission& submission, Vm* vm, size_t units, bool well);  // vm: null for the driver's own
  void end(const RingJob& job, bool well);
  void retire(Ring& ring);
  void cancel_pending(UserQueue& queue);
  void check_alive() const;

  void interrupt_unlocked(unsigned vector);
  void clear_unlocked(const BufferObject& bo);
  bool invalidate_unlocked(uint32_t context);

  // The worker: what takes time, and what interrupts may not do.
  void work();
  void handle_faults_unlocked();
  void watch_rings_unlocked();
  void reset_queue_unlocked(Ring& ring);
  void reset_device_unlocked();
  void bury_unlocked(Vm& vm);
  void fail_job(Ring& ring, const RingJob& job, QueueState::Kind kind, Fault fault);
  void watch();   // there are jobs in a ring
  Vm* dead_vm();  // one that is closed and whose jobs have ended, or null
  void start_chip();
  Fault read_fault(const Ring& ring);
  uint32_t read(const Ring& ring, uint32_t queue_register);

  const kawara_config config_;
  std::shared_ptr<Bus> bus_;
  std::unique_ptr<Chip> chip_;
  std::shared_ptr<LocalPool> local_;

  std::mutex mutex_;
  std::condition_variable changed_;  // something ended
  std::condition_variable wake_;     // the worker has something to do
  std::vector<std::unique_ptr<Ring>> rings_;
  std::vector<kawara_watch> watches_;  // one a ring
  std::vector<std::shared_ptr<UserQueue>> queues_;
  std::vector<std::shared_ptr<Vm>> vms_;
  std::bitset<KAWARA_CONTEXT_COUNT> contexts_;
  std::vector<std::unique_ptr<Submission>> submissions_;
  IntrusiveQueue<Submission> idle_;  // submissions that are over, to be used again
  uint64_t next_ticket_ = 1;
  size_t turn_ = 0;  // of queues_, for fairness among those that share a ring
  bool faulted_ = false, reset_wanted_ = false, watching_ = false, gone_ = false, stopping_ = false;
  std::chrono::steady_clock::time_point next_look_{};
  std::thread worker_;
};

}  // namespace kawara::emulator
