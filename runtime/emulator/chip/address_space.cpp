// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/address_space.h"

#include <algorithm>
#include <cstring>

namespace kawara::emulator {
namespace {

std::unexpected<ChipFault> fault(uint32_t code, uint64_t address, bool write) {
  return std::unexpected(ChipFault{.code = code, .write = write, .address = address});
}

}  // namespace

AddressSpace::AddressSpace(const HostMemory& host, std::span<std::byte> local, uint64_t root, std::function<bool()> stopped)
    : host_(host), local_(local), stopped_(std::move(stopped)) {
  walker_.root = root;
  walker_.local_bytes = local.size();
  walker_.context = const_cast<HostMemory*>(&host);  // only read again
  walker_.read = [](void* context, kawara_u64 bus, kawara_u64* entry) {
    const auto value = static_cast<const HostMemory*>(context)->load(bus);
    if (value) *entry = *value;
    return value ? 1 : 0;
  };
}

std::expected<AddressSpace::Page, ChipFault> AddressSpace::page(uint64_t address, bool write) {
  const kawara_translation found = kawara_walk(&walker_, address, write);
  if (found.fault != KAWARA_FAULT_none) return fault(found.fault, found.address, found.write != 0);
  return Page{found.local != 0, found.address, found.left};
}

std::expected<std::vector<Run>, ChipFault> AddressSpace::translate(uint64_t address, uint64_t size, bool write, size_t limit) {
  std::vector<Run> runs;
  for (uint64_t done = 0; done < size;) {
    if (done % KAWARA_LARGE_PAGE_BYTES < KAWARA_PAGE_BYTES && stopped_()) return fault(KAWARA_FAULT_page_fault, address + done, write);
    const auto next = page(address + done, write);
    if (!next) return std::unexpected(next.error());
    const uint64_t bytes = std::min(next->left, size - done);
    if (!runs.empty() && runs.back().local == next->local && runs.back().address + runs.back().size == next->address) {
      runs.back().size += bytes;
    } else if (runs.size() < limit) {
      runs.push_back({next->local, next->address, bytes});
    } else {
      return fault(KAWARA_FAULT_region_split, address + done, write);
    }
    done += bytes;
  }
  return runs;
}

std::expected<void, ChipFault> AddressSpace::read(uint64_t address, std::span<std::byte> to) {
  for (uint64_t done = 0; done < to.size();) {
    const auto next = page(address + done, false);
    if (!next) return std::unexpected(next.error());
    const auto part = to.subspan(done, std::min<uint64_t>(next->left, to.size() - done));
    if (next->local) {
      std::memcpy(part.data(), local_.data() + next->address, part.size());
    } else if (!host_.read(next->address, part)) {
      return fault(KAWARA_FAULT_host_bus_error, next->address, false);
    }
    done += part.size();
  }
  return {};
}

}  // namespace kawara::emulator
