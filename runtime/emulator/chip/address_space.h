// SPDX-License-Identifier: Apache-2.0
// What a context's page table says: virtual addresses to local memory or the bus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <vector>

#include "emulator/chip/chip_fault.h"
#include "emulator/chip/host_memory.h"
#include "kawara/hw/page_table.h"

namespace kawara::emulator {

// Consecutive virtual addresses that are consecutive behind the page table too.
struct Run {
  bool local = false;
  uint64_t address = 0;  // in local memory, or on the bus
  uint64_t size = 0;
};

// Entries are read when they are needed, and nothing of them is kept.
class AddressSpace {
 public:
  // `stopped` is asked now and then during a long walk, which then ends with a fault that nobody sees.
  AddressSpace(const HostMemory& host, std::span<std::byte> local, std::function<bool()> stopped);

  // From here on the page table at that bus address counts.
  void enter(uint64_t root) { walker_.root = root; }

  // Where [address, address + size) lies, as long runs as the pages allow; good until the next call. Every page must be mapped
  // and allow the access: else page_fault, read_only or (a table that is not in host memory) host_bus_error. At most `limit`
  // runs, else region_split.
  std::expected<std::span<const Run>, ChipFault> translate(uint64_t address, uint64_t size, bool write, size_t limit);

  // Copies from memory, local or host.
  std::expected<void, ChipFault> read(uint64_t address, std::span<std::byte> to);
  // Whether memory holds just that. Each byte is read at most once.
  std::expected<bool, ChipFault> equals(uint64_t address, std::span<const std::byte> bytes);

 private:
  struct Page {
    bool local;
    uint64_t address;  // of the byte asked for
    uint64_t left;     // bytes from it to the end of the page
  };
  std::expected<Page, ChipFault> page(uint64_t address, bool write);

  const HostMemory& host_;
  std::span<std::byte> local_;
  std::function<bool()> stopped_;
  kawara_walker walker_{};
  std::vector<Run> runs_;
};

}  // namespace kawara::emulator
