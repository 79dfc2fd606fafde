// SPDX-License-Identifier: Apache-2.0
// Memory that both the host and a chip see: mapped into this process and bound to an address of its device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "kawara/export.h"
#include "kawara/memory.h"

namespace kawara {

// Owns its memory; made by Device::allocate. A job in flight keeps its commands and regions alive by itself; the end of any
// other buffer's memory waits until the device's jobs have ended.
class KAWARA_API Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(Buffer&&) noexcept = default;

  explicit operator bool() const { return state_ != nullptr; }
  // Another owner of the same memory, which ends with the last of them. Takes no memory.
  Buffer share() const { return Buffer(state_); }
  // Zero when new. The host's view is coherent with the chip's; which of the two writes when is the caller's to order.
  // Throws forked: a forked child has none of its parent's pages, so a span taken before the fork leads nowhere there.
  std::span<std::byte> bytes() const;
  DeviceAddress address() const;
  uint64_t size_bytes() const;
  Memory memory() const;

 private:
  friend class Device;
  friend class Fence;
  struct State;
  explicit Buffer(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace kawara
