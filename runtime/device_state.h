// SPDX-License-Identifier: Apache-2.0
// What the copies of a Device, its buffers and its fences share.
#pragma once

#include <unistd.h>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "intrusive_queue.h"
#include "kawara/device.h"
#include "node.h"
#include "range_allocator.h"

namespace kawara {

// A queue that jobs may still refer to after another one took its place.
class NodeQueue {
 public:
  NodeQueue(Node& node, VmId vm);
  ~NodeQueue();
  NodeQueue(const NodeQueue&) = delete;
  NodeQueue& operator=(const NodeQueue&) = delete;
  QueueId id() const { return id_; }

 private:
  Node& node_;
  QueueId id_;
};

// Where the chip writes how a job ended.
struct RecordSlot {
  kawara_record* record = nullptr;
  DeviceAddress address{};
};

struct Device::State {
  explicit State(std::string_view name);
  ~State();

  struct Bound {
    BoId bo{};
    Mapping mapping;
    DeviceAddress address{};
  };
  Bound bind_new(uint64_t size_bytes, Memory memory);  // size: a multiple of 4096
  void release(Bound& bound);                          // waits for the device's jobs, if anybody does; throws nothing

  // Before anything of this object is touched: a forked child has neither its pages nor, maybe, its locks. Throws forked.
  void check_process() const;
  bool forked() const { return getpid() != process; }

  // A fence for the next job, with a zeroed record. Fences come back when nobody holds them, to be used again.
  Fence::State& take_fence();
  void give_back(Fence::State& fence);

  const pid_t process = getpid();
  std::unique_ptr<Node> node;
  std::string name;
  NodeInfo info;
  VmId vm{};
  TimelineId timeline{};
  std::atomic<bool> jobs_left = false;  // nobody waits for them: the node's end unbinds and closes everything

  std::mutex submission;  // one at a time, so that points come in order; guards the next two
  std::shared_ptr<NodeQueue> queue;
  uint64_t last_point = 0;

 private:
  std::mutex mutex_;  // guards the rest; no call of the node that blocks is made under it
  void add_fences();

  RangeAllocator addresses_;
  std::vector<Bound> record_pages_;
  std::vector<std::unique_ptr<Fence::State[]>> fences_;  // a block for each page of records
  IntrusiveQueue<Fence::State> idle_;                    // of fences, maybe before their job's end
};

struct Buffer::State {
  State(std::shared_ptr<Device::State> device, uint64_t size_bytes, Memory memory)
      : device(std::move(device)), memory(memory), bound(this->device->bind_new(size_bytes, memory)) {}
  ~State() { device->release(bound); }

  std::shared_ptr<Device::State> device;
  Memory memory;
  Device::State::Bound bound;
};

// What a fence knows of its job. The device owns it; it is in use while fences hold it.
struct Fence::State {
  void hold() { holders.fetch_add(1, std::memory_order_relaxed); }
  void let_go();
  // Throws once the job has ended badly; the job's point is reached.
  void check() const;
  std::optional<Fault> own_fault() const;
  bool reached() const;
  bool over() const;  // nobody will write the record any more

  std::atomic<unsigned> holders = 0;
  State* next = nullptr;                  // among those not in use
  std::shared_ptr<Device::State> device;  // while in use
  std::shared_ptr<NodeQueue> queue;
  std::shared_ptr<Buffer::State> commands, regions;  // kept alive, and read to name a fault's field
  uint32_t command_bytes = 0;
  RecordSlot slot;
  uint64_t point = 0;             // on the device's timeline; the job's tag on the chip too
  uint64_t tag = 0;               // the caller's
  mutable std::atomic_flag told;  // the fault, to the log
};

}  // namespace kawara
