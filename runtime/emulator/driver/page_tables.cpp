// SPDX-License-Identifier: Apache-2.0
#include "emulator/driver/page_tables.h"

#include <exception>

#include "kawara/error.h"

namespace kawara::emulator {

PageTables::PageTables(std::shared_ptr<Bus> bus) : bus_(std::move(bus)) {
  table_.context = this;
  table_.entries = [](void* self, kawara_u64 table) {
    return reinterpret_cast<kawara_u64*>(static_cast<PageTables*>(self)->tables_.at(table)->bytes().data());
  };
  table_.add_table = [](void* self, kawara_u64* table) {
    try {
      *table = static_cast<PageTables*>(self)->add_table();
      return 1;
    } catch (const std::exception&) {
      return 0;
    }
  };
  table_.root = add_table();
}

uint64_t PageTables::add_table() {
  auto pages = std::make_unique<HostPages>(bus_, KAWARA_PAGE_BYTES);
  const uint64_t address = pages->bus_address();
  tables_.emplace(address, std::move(pages));
  return address;
}

void PageTables::map(uint64_t address, uint64_t target, uint64_t size_bytes, bool local, bool writable) {
  const uint64_t access = KAWARA_PTE_READ | (writable ? KAWARA_PTE_WRITE : 0) | (local ? KAWARA_PTE_LOCAL : 0);
  switch (kawara_map(&table_, address, target, size_bytes, access)) {
    case KAWARA_MAP_OK: return;
    case KAWARA_MAP_NO_TABLE: throw fail(Code::out_of_memory, "the system gives no memory for page tables");
    case KAWARA_MAP_BAD_RANGE:
    case KAWARA_MAP_TAKEN: break;  // the caller's mistake, which the address space has ruled out
  }
  throw fail(Code::internal, "range {:#x} of {:#x} bytes cannot be mapped to {:#x}", address, size_bytes, target);
}

void PageTables::unmap(uint64_t address, uint64_t size_bytes) { kawara_unmap(&table_, address, size_bytes); }

}  // namespace kawara::emulator
