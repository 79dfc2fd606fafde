// SPDX-License-Identifier: Apache-2.0
// A chip in use by this process: an address space and a queue of its own on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kawara/buffer.h"
#include "kawara/export.h"
#include "kawara/fence.h"

namespace kawara {

// What Device::list() tells of a device without opening it.
struct DeviceDescription {
  std::string name;    // what Device::open takes
  std::string kind;    // "emulator" or "kernel"
  std::string config;  // a name of configs.def
  uint64_t local_bytes = 0, sram_bytes = 0;
};

// One job for Device::submit: a command buffer and a region table, each from the first byte of its buffer.
struct DeviceJob {
  const Buffer* commands = nullptr;
  uint32_t command_bytes = 0;       // a multiple of 16
  const Buffer* regions = nullptr;  // holds kawara_region[region_count]; may be null without regions
  uint32_t region_count = 0;
  uint64_t tag = 0;  // the caller's; comes back in Fault::tag
};

// Cheap to copy, and thread-safe. The chip is released with the last copy, buffer and fence.
class KAWARA_API Device {
 public:
  // "auto" (KAWARA_DEVICE, else the emulator) · "emulator" and, after colons or commas, an executor ("reference", "vulkan"), "config=NAME",
  // the number of a chip: "emulator:reference", "emulator:config=k1-mini,1" · "/dev/accel/accel0". To look for mistakes in programs,
  // the executor "reference" takes "order=SEED": commands run in an order that the waits allow, drawn from the seed, copies as late as
  // they do; a right program gives the same bits under every seed. Throws not_found for what does not exist, invalid_argument for
  // an option that means nothing there, device_unavailable for what this machine or build cannot open.
  static Device open(std::string_view name = "auto");
  static std::vector<DeviceDescription> list();

  const std::string& name() const;         // opens the same device again: "emulator:vulkan,config=k1"
  const std::string& kind() const;         // "emulator" or "kernel"
  const std::string& config() const;       // a name of configs.def
  const std::string& executor() const;     // of an emulator: "vulkan" or "reference"
  const std::string& computes_on() const;  // the Vulkan device that does the executor's work, and its driver; else empty
  uint32_t isa_version() const;
  uint64_t local_bytes() const;
  uint64_t local_free_bytes() const;
  uint64_t sram_bytes() const;

  // Zeroed. The size is rounded up to 4096.
  Buffer allocate(uint64_t size_bytes, Memory memory) const;

  bool owns(const Buffer& buffer) const;  // false for an empty one

  // Runs the job after every job submitted before. Buffers that its regions name must live until the fence is done.
  // Throws queue_dead after a fault, until renew_queue().
  Fence submit(const DeviceJob& job) const;

  // After a fault: a new queue. Does nothing while the queue works; buffers keep their contents.
  void renew_queue() const;

  // Nobody waits for the jobs that are under way: from now on the end of a buffer waits for none, and what buffers held is free
  // once the last copy of the device is gone and its jobs have ended. The last device of a chip ends the chip at once.
  void leave_jobs() const;

 private:
  struct State;
  explicit Device(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
  friend class Buffer;
  friend class Fence;
};

}  // namespace kawara
