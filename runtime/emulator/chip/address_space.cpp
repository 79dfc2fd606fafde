// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/address_space.h"

#include <algorithm>
#include <cstring>

namespace kawara::emulator {
namespace {

constexpr uint64_t kSmallPage = 1ull << 12, kLargePage = 1ull << 21;
constexpr uint64_t kEntriesMask = 511;
constexpr uint64_t kLeafBits = KAWARA_PTE_LOCAL | KAWARA_PTE_READ | KAWARA_PTE_WRITE;
constexpr uint64_t kKnownBits = KAWARA_PTE_VALID | KAWARA_PTE_LEAF | kLeafBits | KAWARA_PTE_ADDRESS;

std::unexpected<ChipFault> fault(uint32_t code, uint64_t address, bool write) {
  return std::unexpected(ChipFault{.code = code, .write = write, .address = address});
}

// LOCAL, READ and WRITE mean something in leaves only.
bool points_to_table(uint64_t entry) {
  return (entry & KAWARA_PTE_VALID) != 0 && (entry & (KAWARA_PTE_LEAF | kLeafBits)) == 0 && (entry & ~kKnownBits) == 0;
}

bool is_leaf(uint64_t entry, uint64_t page_bytes) {
  constexpr uint64_t both = KAWARA_PTE_VALID | KAWARA_PTE_LEAF;
  return (entry & both) == both && (entry & ~kKnownBits) == 0 && (entry & KAWARA_PTE_ADDRESS) % page_bytes == 0;
}

}  // namespace

// A valid entry of the table; `address` and `write` are what the walk is for.
std::expected<uint64_t, ChipFault> AddressSpace::entry(uint64_t table, uint64_t index, uint64_t address, bool write) {
  const uint64_t bus = (table & KAWARA_PTE_ADDRESS) + index * sizeof(uint64_t);
  const auto value = host_.load(bus);
  if (!value) return fault(KAWARA_FAULT_host_bus_error, bus, false);
  if ((*value & KAWARA_PTE_VALID) == 0) return fault(KAWARA_FAULT_page_fault, address, write);
  return *value;
}

std::expected<AddressSpace::Page, ChipFault> AddressSpace::page(uint64_t address, bool write) {
  const auto page_fault = [&] { return fault(KAWARA_FAULT_page_fault, address, write); };
  if (address < KAWARA_VA_GUARD || address >> KAWARA_VA_BITS != 0) return page_fault();
  uint64_t page_bytes = kSmallPage;
  std::expected<uint64_t, ChipFault> leaf;
  if (address / kLargePage == last_block_) {
    leaf = entry(last_table_, address >> 12 & kEntriesMask, address, write);
  } else {
    auto upper = entry(root_, address >> 30 & kEntriesMask, address, write);
    if (upper && !points_to_table(*upper)) return page_fault();
    auto middle = upper ? entry(*upper, address >> 21 & kEntriesMask, address, write) : upper;
    if (!middle) return std::unexpected(middle.error());
    if (*middle & KAWARA_PTE_LEAF) {
      page_bytes = kLargePage;
      leaf = middle;
    } else {
      if (!points_to_table(*middle)) return page_fault();
      last_table_ = *middle;
      last_block_ = address / kLargePage;
      leaf = entry(last_table_, address >> 12 & kEntriesMask, address, write);
    }
  }
  if (!leaf) return std::unexpected(leaf.error());
  if (!is_leaf(*leaf, page_bytes)) return page_fault();
  if (!write && (*leaf & KAWARA_PTE_READ) == 0) return page_fault();
  if (write && (*leaf & KAWARA_PTE_WRITE) == 0) return fault(KAWARA_FAULT_read_only, address, write);
  const uint64_t offset = address % page_bytes;
  const Page page{(*leaf & KAWARA_PTE_LOCAL) != 0, (*leaf & KAWARA_PTE_ADDRESS) + offset, page_bytes - offset};
  if (page.local && (page.address >= local_.size() || page.left > local_.size() - page.address)) return page_fault();
  return page;
}

std::expected<std::vector<Run>, ChipFault> AddressSpace::translate(uint64_t address, uint64_t size, bool write, size_t limit) {
  std::vector<Run> runs;
  for (uint64_t done = 0; done < size;) {
    if (done % kLargePage < kSmallPage && stopped_()) return fault(KAWARA_FAULT_page_fault, address + done, write);
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
