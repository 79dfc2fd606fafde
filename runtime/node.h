// SPDX-License-Identifier: Apache-2.0
// The seam between the runtime and a driver: one method per ioctl, typed. Two implementations: the in-process node on the
// emulated chip (emulator/emulator_node.h) and the kernel driver's (kernel_node.h). tests/conformance holds what both must do.
//
// Thread-safe. Broken rules throw kawara::Error; expected outcomes are values. Only wait(), bo_create(local) and unbinding
// may block. The rules behind the methods: the driver contract in the manual.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "kawara/fault.h"
#include "kawara/hw/hw.h"
#include "kawara/memory.h"

namespace kawara {

enum class VmId : uint32_t {};
enum class BoId : uint32_t {};
enum class QueueId : uint32_t {};
enum class TimelineId : uint32_t {};
// What a queue gets of the chip's cycles while others have work too: 1 part, 2 or 4. Queues take turns at switch points and between jobs.
enum class Priority { low = 0, normal = 1, high = 2 };

using Deadline = std::chrono::steady_clock::time_point;

struct NodeInfo {
  std::string name;              // "emulator", "/dev/accel/accel0"
  std::string kind;              // "emulator" or "kernel"
  std::string executor;          // "vulkan", "reference"; empty on a kernel node
  std::string config;            // a name of configs.def
  std::string computes_on = {};  // what the executor runs on: a Vulkan device's name; else empty
  uint32_t hardware_version = 0, isa_version = 0, features = 0;
  uint64_t local_bytes = 0, local_free_bytes = 0, sram_bytes = 0, va_end = 0;
};

// CPU view of a buffer object; unmapped when destroyed. Must not outlive its Node.
class Mapping {
 public:
  Mapping() = default;
  Mapping(std::span<std::byte> bytes, std::function<void()> unmap) : bytes_(bytes), unmap_(std::move(unmap)) {}
  Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})), unmap_(std::exchange(other.unmap_, nullptr)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(unmap_, other.unmap_);
    return *this;
  }
  ~Mapping() {
    if (unmap_) unmap_();
  }
  std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::span<std::byte> bytes_;
  std::function<void()> unmap_;
};

struct BindOp {
  enum class Kind { map, unmap } kind = Kind::map;
  BoId bo{};
  uint64_t bo_offset = 0;
  DeviceAddress address{};
  uint64_t size_bytes = 0;  // multiples of 4096; unmap names one earlier mapping exactly
  bool read_only = false;
};

// One job: addresses in the queue's VM.
struct NodeJob {
  DeviceAddress commands{};
  uint32_t command_bytes = 0;
  DeviceAddress regions{};
  uint32_t region_count = 0;
  DeviceAddress record{};  // 0: none
  uint64_t tag = 0;
};

struct Point {
  TimelineId timeline{};
  uint64_t value = 0;
};

struct QueueState {
  enum class Kind { ready, faulted, timed_out, lost } kind = Kind::ready;
  uint64_t submitted = 0, completed = 0;  // jobs
  Fault fault;                            // of the first job that failed
};

class Node {
 public:
  virtual ~Node() = default;

  virtual NodeInfo info() const = 0;

  virtual VmId vm_create() = 0;
  virtual void vm_destroy(VmId vm) = 0;  // invalid_argument while it has queues

  // Size is rounded up to 4096; local memory is contiguous and zeroed before the call returns.
  virtual BoId bo_create(VmId vm, Memory memory, uint64_t size_bytes) = 0;
  virtual void bo_close(BoId bo) = 0;
  virtual Mapping bo_map(BoId bo) = 0;

  virtual void bind(VmId vm, std::span<const BindOp> operations) = 0;  // all or nothing

  virtual QueueId queue_create(VmId vm, Priority priority, std::chrono::milliseconds timeout) = 0;
  virtual void queue_destroy(QueueId queue) = 0;  // returns at once; its jobs never signal success but their points are reached
  virtual QueueState queue_state(QueueId queue) const = 0;

  // Runs the jobs in order once every wait is reached; then moves the signals. Zero jobs move points. A wait must have been
  // submitted before. queue_dead after a fault.
  virtual void submit(QueueId queue, std::span<const NodeJob> jobs, std::span<const Point> waits, std::span<const Point> signals) = 0;

  virtual TimelineId timeline_create() = 0;
  virtual void timeline_destroy(TimelineId timeline) = 0;
  // A point is also reached when its job was cancelled or its queue died: the job's record and queue_state tell.
  // Gives the index of a reached point (0 with `all`), or nothing when the deadline passed first.
  virtual std::optional<size_t> wait(std::span<const Point> points, Deadline deadline, bool all) = 0;
  virtual void notify(Point point, int eventfd) = 0;  // writes 1 to eventfd when reached
};

}  // namespace kawara
