// SPDX-License-Identifier: Apache-2.0
// The page table of one address space, in host memory. Tables stay until its end: only leaves come and go.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "emulator/driver/host_pages.h"
#include "kawara/hw/page_table.h"

namespace kawara::emulator {

class PageTables {
 public:
  explicit PageTables(std::shared_ptr<Bus> bus);
  PageTables(const PageTables&) = delete;
  PageTables& operator=(const PageTables&) = delete;

  uint64_t root() const { return table_.root; }  // bus address

  // Addresses and size are multiples of 4096 and nothing is mapped there. Throws out_of_memory; then nothing is.
  void map(uint64_t address, uint64_t target, uint64_t size_bytes, bool local, bool writable);
  // As mapped.
  void unmap(uint64_t address, uint64_t size_bytes);

 private:
  uint64_t add_table();

  std::shared_ptr<Bus> bus_;
  std::unordered_map<uint64_t, std::unique_ptr<HostPages>> tables_;  // by bus address
  kawara_page_table table_{};
};

}  // namespace kawara::emulator
