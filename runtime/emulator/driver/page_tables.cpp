// SPDX-License-Identifier: Apache-2.0
#include "emulator/driver/page_tables.h"

#include <atomic>

#include "kawara/hw/hw.h"

namespace kawara::emulator {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kLargePage = uint64_t{2} << 20;

uint64_t index(uint64_t address, unsigned level) { return address >> (12 + 9 * level) & 511; }

// The chip reads entries one by one while it works on other ranges.
void store(uint64_t* entry, uint64_t value) { std::atomic_ref(*entry).store(value, std::memory_order_release); }

bool fits_large(uint64_t address, uint64_t target, uint64_t left) {
  return address % kLargePage == 0 && target % kLargePage == 0 && left >= kLargePage;
}

}  // namespace

PageTables::PageTables(std::shared_ptr<Bus> bus) : bus_(std::move(bus)), root_(add_table()) {}

uint64_t PageTables::add_table() {
  auto pages = std::make_unique<HostPages>(bus_, kPage);
  const uint64_t address = pages->bus_address();
  tables_.emplace(address, std::move(pages));
  return address;
}

void PageTables::map(uint64_t address, uint64_t target, uint64_t size_bytes, bool local, bool writable) {
  const uint64_t flags =
      KAWARA_PTE_VALID | KAWARA_PTE_LEAF | KAWARA_PTE_READ | (writable ? KAWARA_PTE_WRITE : 0) | (local ? KAWARA_PTE_LOCAL : 0);
  uint64_t done = 0;
  try {
    while (done < size_bytes) {
      const bool large = fits_large(address + done, target + done, size_bytes - done);
      uint64_t table = root_;
      unsigned level = 2;
      uint64_t* entry = entries(table) + index(address + done, level);
      // A large leaf never takes the place of a table, so that what was unmapped can be mapped again without memory.
      while (level > 0 && !(level == 1 && large && !(*entry & KAWARA_PTE_VALID))) {
        if (!(*entry & KAWARA_PTE_VALID)) store(entry, add_table() | KAWARA_PTE_VALID);
        table = *entry & KAWARA_PTE_ADDRESS;
        entry = entries(table) + index(address + done, --level);
      }
      store(entry, (target + done) | flags);
      done += level ? kLargePage : kPage;
    }
  } catch (...) {
    unmap(address, done);
    throw;
  }
}

void PageTables::unmap(uint64_t address, uint64_t size_bytes) {
  for (const uint64_t end = address + size_bytes; address < end;) {
    uint64_t table = root_;
    unsigned level = 2;
    uint64_t* entry = entries(table) + index(address, level);
    while (!(*entry & KAWARA_PTE_LEAF)) {
      table = *entry & KAWARA_PTE_ADDRESS;
      entry = entries(table) + index(address, --level);
    }
    store(entry, 0);
    address += level ? kLargePage : kPage;
  }
}

}  // namespace kawara::emulator
