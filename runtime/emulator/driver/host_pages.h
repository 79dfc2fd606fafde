// SPDX-License-Identifier: Apache-2.0
// Host memory that the chip may reach: pages of this process behind bus addresses, which are not pointers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "emulator/chip/host_memory.h"
#include "range_allocator.h"

namespace kawara::emulator {

// The bus between a driver and its chip. Thread-safe.
struct Bus {
  HostMemory memory;
  std::mutex mutex;
  RangeAllocator addresses{uint64_t{1} << 32, uint64_t{1} << 48};
};

// Zero when new, and not inherited over fork. The destructor waits until no running job uses the pages.
class HostPages {
 public:
  HostPages(std::shared_ptr<Bus> bus, uint64_t size_bytes);  // a multiple of 4096; throws out_of_memory
  HostPages(const HostPages&) = delete;
  HostPages& operator=(const HostPages&) = delete;
  ~HostPages();

  std::span<std::byte> bytes() const { return bytes_; }
  uint64_t bus_address() const { return address_; }

 private:
  std::shared_ptr<Bus> bus_;
  std::span<std::byte> bytes_;
  uint64_t address_ = 0;
};

}  // namespace kawara::emulator
