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

AddressSpace::AddressSpace(const HostMemory& host, std::span<std::byte> local, std::function<bool()> stopped)
    : host_(host), local_(local), stopped_(std::move(stopped)) {
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

std::expected<std::span<const Run>, ChipFault> AddressSpace::translate(uint64_t address, uint64_t size, bool write, size_t limit) {
  runs_.clear();
  for (uint64_t done = 0; done < size;) {
    if (done % KAWARA_LARGE_PAGE_BYTES < KAWARA_PAGE_BYTES && stopped_()) return fault(KAWARA_FAULT_page_fault, address + done, write);
    const auto next = page(address + done, write);
    if (!next) return std::unexpected(next.error());
    const uint64_t bytes = std::min(next->left, size - done);
    if (!runs_.empty() && runs_.back().local == next->local && runs_.back().address + runs_.back().size == next->address) {
      runs_.back().size += bytes;
    } else if (runs_.size() < limit) {
      runs_.push_back({next->local, next->address, bytes});
    } else {
      return fault(KAWARA_FAULT_region_split, address + done, write);
    }
    done += bytes;
  }
  return runs_;
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

std::expected<bool, ChipFault> AddressSpace::equals(uint64_t address, std::span<const std::byte> bytes) {
  for (uint64_t done = 0; done < bytes.size();) {
    const auto next = page(address + done, false);
    if (!next) return std::unexpected(next.error());
    const auto part = bytes.subspan(done, std::min<uint64_t>(next->left, bytes.size() - done));
    if (next->local) {
      if (std::memcmp(part.data(), local_.data() + next->address, part.size()) != 0) return false;
    } else if (const auto equal = host_.equals(next->address, part); !equal) {
      return fault(KAWARA_FAULT_host_bus_error, next->address, false);
    } else if (!*equal) {
      return false;
    }
    done += part.size();
  }
  return true;
}

}  // namespace kawara::emulator
