// SPDX-License-Identifier: Apache-2.0
// Memory of one client: pages of the host, or a contiguous range of the chip's local memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "emulator/driver/host_pages.h"
#include "range_allocator.h"

namespace kawara::emulator {

// Local memory of a chip: BAR2 and what of it is free. Thread-safe.
class LocalPool {
 public:
  explicit LocalPool(std::span<std::byte> window) : window_(window), ranges_(0, window.size()) {}

  std::optional<uint64_t> take(uint64_t size_bytes);
  void give_back(uint64_t offset, uint64_t size_bytes);
  uint64_t free_bytes() const;
  std::span<std::byte> window() const { return window_; }

 private:
  std::span<std::byte> window_;
  mutable std::mutex mutex_;
  RangeAllocator ranges_;
};

// Gives its memory back when destroyed: its owners are the client's handle, its mappings and its bindings.
class BufferObject {
 public:
  BufferObject(std::shared_ptr<Bus> bus, uint64_t size_bytes);         // system memory; throws out_of_memory
  BufferObject(std::shared_ptr<LocalPool> pool, uint64_t size_bytes);  // local memory, dirty; throws out_of_memory
  BufferObject(const BufferObject&) = delete;
  BufferObject& operator=(const BufferObject&) = delete;
  ~BufferObject();

  bool local() const { return pool_ != nullptr; }
  uint64_t address() const { return address_; }  // on the bus, or in local memory
  uint64_t size_bytes() const { return bytes_.size(); }
  std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::optional<HostPages> pages_;
  std::shared_ptr<LocalPool> pool_;
  std::span<std::byte> bytes_;
  uint64_t address_ = 0;
};

}  // namespace kawara::emulator
