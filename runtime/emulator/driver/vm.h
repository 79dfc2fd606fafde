// SPDX-License-Identifier: Apache-2.0
// An address space of the chip: a page table in host memory, a context number, and what is bound where.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "emulator/driver/buffer_object.h"
#include "emulator/driver/page_tables.h"
#include "node.h"

namespace kawara::emulator {

// The driver's lock guards it.
struct Vm {
  struct Mapping {
    uint64_t size_bytes = 0;
    uint64_t bo_offset = 0;
    bool read_only = false;
    std::shared_ptr<BufferObject> bo;
  };

  Vm(std::shared_ptr<Bus> bus, uint32_t context) : context(context), pages(std::move(bus)) {}

  const uint32_t context;
  PageTables pages;
  std::map<uint64_t, Mapping> mappings;  // by address
  std::vector<uint64_t> unfinished;      // tickets of submissions, ascending
  unsigned queues = 0;
  unsigned in_rings = 0;  // units of its queues
  unsigned holds = 0;     // while positive, nothing of its queues enters a ring
  bool closed = false;
  bool lost = false;  // the device was reset under it

  // All or nothing. Buffers that were unbound go to `released`. Throws invalid_argument, not_found, out_of_memory.
  void apply(std::span<const BindOp> operations, std::span<const std::shared_ptr<BufferObject>> buffers,
             std::vector<std::shared_ptr<BufferObject>>& released);

 private:
  void map(const BindOp& operation, const std::shared_ptr<BufferObject>& bo);
  Mapping unmap(const BindOp& operation);
};

}  // namespace kawara::emulator
