// SPDX-License-Identifier: Apache-2.0
#include "kawara/hw/page_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace kawara {
namespace {

constexpr uint64_t kPage = 4096, kLarge = 2 << 20;
constexpr uint64_t kReadWrite = KAWARA_PTE_READ | KAWARA_PTE_WRITE;

// Tables in memory that both sides see: the driver's functions and the chip's walk.
class PageTable : public testing::Test {
 protected:
  PageTable() { add(&table.root); }

  kawara_map_result map(uint64_t va, uint64_t target, uint64_t size, uint64_t access = kReadWrite) {
    return kawara_map(&table, va, target, size, access);
  }
  uint64_t unmap(uint64_t va, uint64_t size) { return kawara_unmap(&table, va, size); }

  kawara_translation walk(uint64_t va, bool write = false) {
    kawara_walker walker = this->walker();
    return kawara_walk(&walker, va, write);
  }
  kawara_walker walker() { return {.read = read, .context = this, .root = table.root, .local_bytes = local_bytes, .table = 0, .block = 0}; }

  size_t table_count() const { return tables_.size(); }
  size_t tables_allowed = 10'000;
  uint64_t local_bytes = 1ull << 36;
  int reads = 0;
  kawara_page_table table{.entries = entries,
                          .add_table = [](void* self, kawara_u64* at) { return static_cast<PageTable*>(self)->add(at); },
                          .context = this,
                          .root = 0};

 private:
  using Table = std::array<uint64_t, 512>;

  static kawara_u64* entries(void* self, kawara_u64 table) { return static_cast<PageTable*>(self)->tables_.at(table)->data(); }
  static int read(void* self, kawara_u64 bus, kawara_u64* entry) {
    auto& tables = static_cast<PageTable*>(self)->tables_;
    ++static_cast<PageTable*>(self)->reads;
    const auto found = tables.find(bus & ~(kPage - 1));
    if (found == tables.end()) return 0;
    *entry = (*found->second)[bus % kPage / 8];
    return 1;
  }
  int add(kawara_u64* at) {
    if (tables_.size() >= tables_allowed) return 0;
    *at = 0x5000'0000 + tables_.size() * kPage;
    tables_.emplace(*at, std::make_unique<Table>());
    return 1;
  }

  std::map<uint64_t, std::unique_ptr<Table>> tables_;
};

TEST_F(PageTable, WalksToWhatWasMapped) {
  ASSERT_EQ(map(0x12'3456'7000, 0x8000, 3 * kPage), KAWARA_MAP_OK);
  const auto page = walk(0x12'3456'8123);
  EXPECT_EQ(page.fault, uint32_t{KAWARA_FAULT_none});
  EXPECT_EQ(page.address, 0x9123u);
  EXPECT_EQ(page.left, kPage - 0x123);
  EXPECT_FALSE(page.local);
  EXPECT_EQ(walk(0x12'3456'6fff).fault, uint32_t{KAWARA_FAULT_page_fault});
  EXPECT_EQ(walk(0x12'3456'a000).fault, uint32_t{KAWARA_FAULT_page_fault});
}

TEST_F(PageTable, TakesLargeLeavesWhereTheyFit) {
  const uint64_t va = 0x4000'0000 - kPage;
  ASSERT_EQ(map(va, 3 * kLarge - kPage, kPage + 2 * kLarge + kPage, kReadWrite | KAWARA_PTE_LOCAL), KAWARA_MAP_OK);
  EXPECT_EQ(walk(va).left, kPage);
  EXPECT_EQ(walk(va + kPage).left, kLarge);
  EXPECT_EQ(walk(va + kPage + kLarge + 0x10).left, kLarge - 0x10);
  EXPECT_EQ(walk(va + kPage + kLarge + 0x10).address, 4 * kLarge + 0x10);
  EXPECT_TRUE(walk(va + kPage + kLarge).local);
  EXPECT_EQ(walk(va + kPage + 2 * kLarge).left, kPage);
}

TEST_F(PageTable, MemoryThatLiesAskewTakesSmallLeaves) {
  ASSERT_EQ(map(kLarge, kPage, 2 * kLarge), KAWARA_MAP_OK);
  EXPECT_EQ(walk(kLarge).left, kPage);
  EXPECT_EQ(walk(3 * kLarge - 1).address, 2 * kLarge + kPage - 1);
}

TEST_F(PageTable, AccessIsWhatTheLeafAllows) {
  const uint64_t va = 0x10'0000;
  ASSERT_EQ(map(va, 0, kPage, KAWARA_PTE_READ), KAWARA_MAP_OK);
  ASSERT_EQ(map(va + kPage, 0, kPage, KAWARA_PTE_WRITE), KAWARA_MAP_OK);
  EXPECT_EQ(walk(va, false).fault, uint32_t{KAWARA_FAULT_none});
  EXPECT_EQ(walk(va, true).fault, uint32_t{KAWARA_FAULT_read_only});
  EXPECT_EQ(walk(va + kPage, false).fault, uint32_t{KAWARA_FAULT_page_fault});
  EXPECT_EQ(walk(va + kPage, true).fault, uint32_t{KAWARA_FAULT_none});
}

TEST_F(PageTable, LeavesOutsideLocalMemoryFault) {
  const auto fault_of = [&](uint64_t target, uint64_t size, uint64_t access) {
    EXPECT_EQ(map(kLarge, target, size, access), KAWARA_MAP_OK);
    const uint32_t fault = walk(kLarge).fault;
    unmap(kLarge, size);
    return fault;
  };
  const uint64_t local = KAWARA_PTE_READ | KAWARA_PTE_LOCAL;
  local_bytes = 5 * kPage;
  EXPECT_EQ(fault_of(4 * kPage, kPage, local), uint32_t{KAWARA_FAULT_none});
  EXPECT_EQ(fault_of(5 * kPage, kPage, local), uint32_t{KAWARA_FAULT_page_fault});
  EXPECT_EQ(fault_of(9 * kPage, kPage, local), uint32_t{KAWARA_FAULT_page_fault});
  EXPECT_EQ(fault_of(5 * kPage, kPage, KAWARA_PTE_READ), uint32_t{KAWARA_FAULT_none}) << "the bus is larger";
  local_bytes = kPage + 8;
  EXPECT_EQ(fault_of(kPage, kPage, local), uint32_t{KAWARA_FAULT_page_fault}) << "begins inside, ends outside";
}

TEST_F(PageTable, AFaultNamesTheAddressAndTheAccess) {
  const auto fault = walk(0x12'3456'7123, true);
  EXPECT_EQ(fault.address, 0x12'3456'7123u);
  EXPECT_TRUE(fault.write);
  table.root = 0x7000;
  const auto bus = walk(0x12'3456'7123, true);
  EXPECT_EQ(bus.fault, uint32_t{KAWARA_FAULT_host_bus_error});
  EXPECT_EQ(bus.address, 0x7000u + (0x12'3456'7123ull >> 30) * 8);
  EXPECT_FALSE(bus.write);
}

TEST_F(PageTable, RangesThatMayNotBeMappedAreRefused) {
  const uint64_t end = 1ull << 39;
  EXPECT_EQ(map(0xf000, 0, kPage), KAWARA_MAP_BAD_RANGE) << "the guard";
  EXPECT_EQ(map(0, 0, 32 * kPage), KAWARA_MAP_BAD_RANGE);
  EXPECT_EQ(map(end, 0, kPage), KAWARA_MAP_BAD_RANGE);
  EXPECT_EQ(map(end - kPage, 0, 2 * kPage), KAWARA_MAP_BAD_RANGE);
  EXPECT_EQ(map(kLarge, 0, ~0ull << 12), KAWARA_MAP_BAD_RANGE);
  EXPECT_EQ(map(kLarge, 0, 0), KAWARA_MAP_BAD_RANGE);
  EXPECT_EQ(map(kLarge, 0, 100), KAWARA_MAP_BAD_RANGE);
  EXPECT_EQ(map(kLarge + 1, 0, kPage), KAWARA_MAP_BAD_RANGE);
  EXPECT_EQ(map(kLarge, 1, kPage), KAWARA_MAP_BAD_RANGE);
  EXPECT_EQ(map(kLarge, 1ull << 52, kPage), KAWARA_MAP_BAD_RANGE);
  EXPECT_EQ(map(kLarge, (1ull << 52) - kPage, 2 * kPage), KAWARA_MAP_BAD_RANGE);
  EXPECT_EQ(map(kLarge, 0, kPage, 0x20), KAWARA_MAP_BAD_RANGE);
  EXPECT_EQ(table_count(), 1u);
  EXPECT_EQ(map(0x10000, 0, kPage), KAWARA_MAP_OK);
  EXPECT_EQ(map(end - kPage, (1ull << 52) - kPage, kPage), KAWARA_MAP_OK);
  EXPECT_EQ(walk(end - 1).address, (1ull << 52) - 1);
}

TEST_F(PageTable, WithoutMemoryForTablesNothingIsMapped) {
  const uint64_t va = 0x8000'0000 - 2 * kPage, size = 4 * kPage;  // tables of two different GiB
  for (tables_allowed = 1; tables_allowed < 5; ++tables_allowed) {
    EXPECT_EQ(map(va, 0, size), KAWARA_MAP_NO_TABLE) << tables_allowed;
    for (uint64_t done = 0; done < size; done += kPage) EXPECT_NE(walk(va + done).fault, uint32_t{KAWARA_FAULT_none});
  }
  EXPECT_EQ(map(va, 0, size), KAWARA_MAP_OK);
  EXPECT_EQ(unmap(va, size), size);
  tables_allowed = 0;
  EXPECT_EQ(map(va, 0, size), KAWARA_MAP_OK) << "what was unmapped can be mapped again without memory";
}

TEST_F(PageTable, UnmappingPartOfALargeLeafLeavesIt) {
  ASSERT_EQ(map(kLarge, 0, 2 * kLarge), KAWARA_MAP_OK);
  EXPECT_EQ(unmap(kLarge, kLarge - kPage), 0u);
  EXPECT_EQ(unmap(kLarge + kPage, 2 * kLarge - kPage), kLarge);
  EXPECT_EQ(walk(kLarge).left, kLarge);
  EXPECT_EQ(walk(2 * kLarge).fault, uint32_t{KAWARA_FAULT_page_fault});
  EXPECT_EQ(unmap(0x10000, (1ull << 39) - 0x10000), kLarge) << "and all of it takes no time for what is not there";
}

TEST_F(PageTable, NeighbouringPagesNeedOneReadEach) {
  ASSERT_EQ(map(kLarge, kPage, 16 * kPage), KAWARA_MAP_OK);
  kawara_walker walker = this->walker();
  for (uint64_t page = 0; page < 16; ++page) EXPECT_EQ(kawara_walk(&walker, kLarge + page * kPage, 0).address, (page + 1) * kPage);
  EXPECT_EQ(reads, 3 + 15);
  EXPECT_EQ(kawara_walk(&walker, 2 * kLarge, 0).fault, uint32_t{KAWARA_FAULT_page_fault});
}

TEST_F(PageTable, AnEntryWithABitThatMeansNothingIsNeitherTableNorLeaf) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    const uint64_t flipped = 1ull << bit;
    const bool address = (KAWARA_PTE_ADDRESS & flipped) != 0;
    EXPECT_EQ(kawara_pte_is_table(KAWARA_PTE_VALID ^ flipped, 1), address) << bit;
    const bool access = (flipped & (KAWARA_PTE_LOCAL | KAWARA_PTE_READ | KAWARA_PTE_WRITE)) != 0;
    EXPECT_EQ(kawara_pte_is_leaf(kawara_pte_leaf(0, KAWARA_PTE_READ) ^ flipped, 0), address || access) << bit;
    EXPECT_EQ(kawara_pte_is_leaf(kawara_pte_leaf(0, KAWARA_PTE_READ) ^ flipped, 1), (address && bit >= 21) || access) << bit;
  }
  EXPECT_FALSE(kawara_pte_is_table(KAWARA_PTE_VALID, 0)) << "a fourth level";
  EXPECT_FALSE(kawara_pte_is_leaf(kawara_pte_leaf(0, KAWARA_PTE_READ), 2)) << "a page of 1 GiB";
}

// Pages by address, as simple as can be.
struct Model {
  struct Page {
    uint64_t target, access;
  };
  std::map<uint64_t, Page> pages;

  bool free(uint64_t va, uint64_t size) const {
    const auto next = pages.lower_bound(va);
    return next == pages.end() || next->first >= va + size;
  }
};

TEST_F(PageTable, RandomMappingsAreWhatASimpleModelSays) {
  std::mt19937_64 random(20);
  Model model;
  struct Mapping {
    uint64_t va, size;
  };
  std::vector<Mapping> mappings;
  // Six blocks on both sides of a GiB, so that operations meet often.
  const uint64_t start = 0x4000'0000 - 3 * kLarge, pages = 6 * kLarge / kPage;
  int taken = 0, no_table = 0;
  for (int round = 0; round < 3000; ++round) {
    if (round % 100 == 0) tables_allowed = table_count() + random() % 2;
    if (random() % 5 < 3) {
      const bool aligned = random() % 2;
      const uint64_t va = aligned ? start + random() % 6 * kLarge : start + random() % pages * kPage;
      const uint64_t size = std::min((random() % 4 ? random() % 20 + 1 : random() % 1100 + 1) * kPage, start + pages * kPage - va);
      const uint64_t target = (aligned ? random() % 100 * kLarge : random() % 100'000 * kPage);
      const uint64_t access = KAWARA_PTE_READ | (random() % 2 ? KAWARA_PTE_WRITE : 0) | (random() % 2 ? KAWARA_PTE_LOCAL : 0);
      const auto result = map(va, target, size, access);
      if (!model.free(va, size)) {
        ASSERT_NE(result, KAWARA_MAP_OK) << round;
      } else if (result != KAWARA_MAP_NO_TABLE) {
        ASSERT_EQ(result, KAWARA_MAP_OK) << round;
      }
      taken += result == KAWARA_MAP_TAKEN;
      no_table += result == KAWARA_MAP_NO_TABLE;
      if (result == KAWARA_MAP_OK) {
        mappings.push_back({va, size});
        for (uint64_t done = 0; done < size; done += kPage) model.pages[va + done] = {target + done, access};
      }
    } else if (!mappings.empty()) {
      const size_t which = random() % mappings.size();
      const Mapping mapping = mappings[which];
      mappings.erase(mappings.begin() + static_cast<ptrdiff_t>(which));
      ASSERT_EQ(unmap(mapping.va, mapping.size), mapping.size) << round;
      model.pages.erase(model.pages.lower_bound(mapping.va), model.pages.lower_bound(mapping.va + mapping.size));
    }
    if (round % 10 != 0) continue;
    kawara_walker walker = this->walker();
    for (uint64_t va = start; va < start + pages * kPage; va += kPage) {
      const bool write = random() % 2;
      const auto found = model.pages.find(va);
      const auto page = kawara_walk(&walker, va + 8, write);
      const uint32_t expected = found == model.pages.end()                            ? KAWARA_FAULT_page_fault
                                : write && !(found->second.access & KAWARA_PTE_WRITE) ? KAWARA_FAULT_read_only
                                                                                      : KAWARA_FAULT_none;
      ASSERT_EQ(page.fault, expected) << round << " " << va;
      if (expected != KAWARA_FAULT_none) continue;
      ASSERT_EQ(page.address, found->second.target + 8);
      ASSERT_EQ(page.local != 0, (found->second.access & KAWARA_PTE_LOCAL) != 0);
      // All that the walk says of the page's rest is so.
      for (uint64_t ahead = kPage; ahead < page.left; ahead += 64 * kPage) {
        ASSERT_TRUE(model.pages.contains(va + ahead));
        ASSERT_EQ(model.pages[va + ahead].target, found->second.target + ahead);
      }
    }
  }
  EXPECT_GT(taken, 100);
  EXPECT_GT(no_table, 0);
}

}  // namespace
}  // namespace kawara
