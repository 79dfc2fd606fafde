// SPDX-License-Identifier: Apache-2.0
#include "emulator/driver/vm.h"

#include <iterator>

#include "kawara/error.h"

namespace kawara::emulator {
namespace {

void check_range(uint64_t address, uint64_t size_bytes) {
  if (!kawara_va_range_ok(address, size_bytes)) {
    throw fail(Code::invalid_argument, "range {:#x} of {:#x} bytes: both must be multiples of {}, the size positive, all in {:#x} to {:#x}",
               address, size_bytes, uint64_t{KAWARA_PAGE_BYTES}, uint64_t{KAWARA_VA_GUARD}, uint64_t{KAWARA_VA_END});
  }
}

}  // namespace

void Vm::map(const BindOp& operation, const std::shared_ptr<BufferObject>& bo) {
  const auto address = static_cast<uint64_t>(operation.address);
  check_range(address, operation.size_bytes);
  if (operation.bo_offset % KAWARA_PAGE_BYTES != 0 || operation.bo_offset > bo->size_bytes() ||
      operation.size_bytes > bo->size_bytes() - operation.bo_offset) {
    throw fail(Code::invalid_argument, "{:#x} bytes at offset {:#x} do not lie, by pages, in a buffer of {:#x}", operation.size_bytes,
               operation.bo_offset, bo->size_bytes());
  }
  const auto next = mappings.lower_bound(address);
  const bool meets_next = next != mappings.end() && next->first < address + operation.size_bytes;
  const bool meets_previous = next != mappings.begin() && std::prev(next)->first + std::prev(next)->second.size_bytes > address;
  if (meets_next || meets_previous) {
    throw fail(Code::invalid_argument, "range {:#x} of {:#x} bytes: something is bound there", address, operation.size_bytes);
  }
  pages.map(address, bo->address() + operation.bo_offset, operation.size_bytes, bo->local(), !operation.read_only);
  mappings.emplace(address, Mapping{operation.size_bytes, operation.bo_offset, operation.read_only, bo});
}

Vm::Mapping Vm::unmap(const BindOp& operation) {
  const auto address = static_cast<uint64_t>(operation.address);
  const auto found = mappings.find(address);
  if (found == mappings.end() || found->second.size_bytes != operation.size_bytes) {
    throw fail(Code::not_found, "range {:#x} of {:#x} bytes: nothing was bound as exactly that", address, operation.size_bytes);
  }
  Mapping mapping = std::move(found->second);
  mappings.erase(found);
  pages.unmap(address, mapping.size_bytes);
  return mapping;
}

void Vm::apply(std::span<const BindOp> operations, std::span<const std::shared_ptr<BufferObject>> buffers,
               std::vector<std::shared_ptr<BufferObject>>& released) {
  std::vector<Mapping> unbound(operations.size());
  size_t done = 0;
  try {
    for (; done < operations.size(); ++done) {
      switch (operations[done].kind) {
        case BindOp::Kind::map: map(operations[done], buffers[done]); break;
        case BindOp::Kind::unmap: unbound[done] = unmap(operations[done]); break;
      }
    }
  } catch (...) {
    while (done-- > 0) {
      const BindOp& operation = operations[done];
      if (operation.kind == BindOp::Kind::map) {
        unmap(operation);
      } else {  // the tables are still there, so this takes no memory
        const Mapping& mapping = unbound[done];
        map({.bo_offset = mapping.bo_offset,
             .address = operation.address,
             .size_bytes = mapping.size_bytes,
             .read_only = mapping.read_only},
            mapping.bo);
      }
    }
    throw;
  }
  for (Mapping& mapping : unbound) {
    if (mapping.bo) released.push_back(std::move(mapping.bo));
  }
}

}  // namespace kawara::emulator
