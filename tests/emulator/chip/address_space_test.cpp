// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/address_space.h"

#include "emulator/chip/chip_bench.h"

namespace kawara::emulator {
namespace {

constexpr uint64_t kLocalBytes = 8 << 20;
constexpr uint64_t kAddress = 0x12'3456'7000;

class AddressSpaceTest : public ChipBench {
 protected:
  AddressSpace space{memory, chip->local(), [] { return false; }};
  AddressSpaceTest() { space.enter(root()); }

  uint32_t code(uint64_t address, bool write = false) {
    AddressSpace fresh(memory, chip->local(), [] { return false; });
    fresh.enter(root());
    const auto runs = fresh.translate(address, 16, write, 100);
    return runs ? uint32_t{KAWARA_FAULT_none} : runs.error().code;
  }
};

TEST_F(AddressSpaceTest, JoinsPagesThatLieSideBySide) {
  for (uint64_t page = 0; page < 4; ++page) map(kAddress + page * 4096, 0x5000 + page * 4096, kReadWrite | KAWARA_PTE_LOCAL);
  map(kAddress + 0x4000, kBus, kReadWrite);
  const auto runs = space.translate(kAddress + 0x800, 0x4000, true, 10);
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 2u);
  EXPECT_TRUE((*runs)[0].local);
  EXPECT_EQ((*runs)[0].address, 0x5800u);
  EXPECT_EQ((*runs)[0].size, 0x3800u);
  EXPECT_FALSE((*runs)[1].local);
  EXPECT_EQ((*runs)[1].address, kBus);
  EXPECT_EQ((*runs)[1].size, 0x800u);
}

TEST_F(AddressSpaceTest, WalksLargePagesBesideSmallOnes) {
  const uint64_t large = 0x12'3460'0000;
  map(large - 4096, 0x1ff000, kReadWrite | KAWARA_PTE_LOCAL);
  map_large(large, 0x200000, kReadWrite | KAWARA_PTE_LOCAL);
  map(large + 0x200000, 0x400000, kReadWrite | KAWARA_PTE_LOCAL);
  const auto runs = space.translate(large - 4096, 0x202000, false, 10);
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 1u);
  EXPECT_EQ((*runs)[0].address, 0x1ff000u);
  EXPECT_EQ((*runs)[0].size, 0x202000u);
}

TEST_F(AddressSpaceTest, ReadsLocalAndHostMemory) {
  const uint64_t bus = host_pages();
  map(kAddress, 0x3000, kReadWrite | KAWARA_PTE_LOCAL);
  map(kAddress + 4096, bus, kReadWrite);
  chip->local()[0x3fff] = std::byte{1};
  host_bytes(bus)[0] = std::byte{2};
  std::byte two[2];
  ASSERT_TRUE(space.read(kAddress + 4095, two));
  EXPECT_THAT(two, ::testing::ElementsAre(std::byte{1}, std::byte{2}));
}

TEST_F(AddressSpaceTest, FaultsOnWhatIsNotMapped) {
  map(kAddress, 0, kReadWrite | KAWARA_PTE_LOCAL);
  EXPECT_EQ(code(kAddress), KAWARA_FAULT_none);
  EXPECT_EQ(code(kAddress + 4096), KAWARA_FAULT_page_fault) << "no leaf";
  EXPECT_EQ(code(kAddress + (1 << 21)), KAWARA_FAULT_page_fault) << "no leaf table";
  EXPECT_EQ(code(kAddress + (1 << 30)), KAWARA_FAULT_page_fault) << "no middle table";
  const auto behind = space.translate(kAddress + 16, 4096, false, 10);
  ASSERT_FALSE(behind);
  EXPECT_EQ(behind.error(), (ChipFault{.code = KAWARA_FAULT_page_fault, .address = kAddress + 4096}));
}

TEST_F(AddressSpaceTest, TheGuardAndTheEndNeverMap) {
  map(0, 0, kReadWrite | KAWARA_PTE_LOCAL);
  map(0xf000, 0, kReadWrite | KAWARA_PTE_LOCAL);
  map(0x10000, 0, kReadWrite | KAWARA_PTE_LOCAL);
  EXPECT_EQ(code(0), KAWARA_FAULT_page_fault);
  EXPECT_EQ(code(0xfff0), KAWARA_FAULT_page_fault);
  EXPECT_EQ(code(0x10000), KAWARA_FAULT_none);
  EXPECT_EQ(code(uint64_t{1} << 39 | 0x10000), KAWARA_FAULT_page_fault);
  EXPECT_EQ(code(~uint64_t{15}), KAWARA_FAULT_page_fault);
}

TEST_F(AddressSpaceTest, AccessIsWhatTheLeafAllows) {
  map(kAddress, 0, KAWARA_PTE_READ | KAWARA_PTE_LOCAL);
  EXPECT_EQ(code(kAddress, false), KAWARA_FAULT_none);
  EXPECT_EQ(code(kAddress, true), KAWARA_FAULT_read_only);
  map(kAddress, 0, KAWARA_PTE_WRITE | KAWARA_PTE_LOCAL);
  EXPECT_EQ(code(kAddress, false), KAWARA_FAULT_page_fault);
  EXPECT_EQ(code(kAddress, true), KAWARA_FAULT_none);
}

TEST_F(AddressSpaceTest, EntriesWithBitsThatMeanNothingFault) {
  map(kAddress, 0, kReadWrite | KAWARA_PTE_LOCAL);
  const uint64_t pointers = entry(kAddress, 2), leaf = entry(kAddress, 3);
  for (const uint64_t bit : {0x20ull, 0x800ull, 1ull << 52, 1ull << 63}) {
    entry(kAddress, 3) = leaf | bit;
    EXPECT_EQ(code(kAddress), KAWARA_FAULT_page_fault) << bit;
    entry(kAddress, 3) = leaf;
    entry(kAddress, 2) = pointers | bit;
    EXPECT_EQ(code(kAddress), KAWARA_FAULT_page_fault) << bit;
    entry(kAddress, 2) = pointers;
  }
  for (const uint64_t bit : {KAWARA_PTE_LOCAL, KAWARA_PTE_READ, KAWARA_PTE_WRITE}) {
    entry(kAddress, 2) = pointers | bit;
    EXPECT_EQ(code(kAddress), KAWARA_FAULT_page_fault) << "of a table: " << bit;
    entry(kAddress, 2) = pointers;
  }
  entry(kAddress, 3) = leaf & ~KAWARA_PTE_LEAF;
  EXPECT_EQ(code(kAddress), KAWARA_FAULT_page_fault) << "a fourth level";
  entry(kAddress, 3) = leaf;
  entry(kAddress, 1) |= KAWARA_PTE_LEAF;
  EXPECT_EQ(code(kAddress), KAWARA_FAULT_page_fault) << "a page of 1 GiB";
}

TEST_F(AddressSpaceTest, LeavesOutsideLocalMemoryFault) {
  map(kAddress, kLocalBytes - 4096, kReadWrite | KAWARA_PTE_LOCAL);
  EXPECT_EQ(code(kAddress), KAWARA_FAULT_none);
  map(kAddress, kLocalBytes, kReadWrite | KAWARA_PTE_LOCAL);
  EXPECT_EQ(code(kAddress), KAWARA_FAULT_page_fault);
  map_large(kAddress + (1 << 21), 0x1000, kReadWrite | KAWARA_PTE_LOCAL);
  EXPECT_EQ(code(kAddress + (1 << 21)), KAWARA_FAULT_page_fault) << "a large page that is not aligned";
  map_large(kAddress + (1 << 21), kLocalBytes, kReadWrite | KAWARA_PTE_LOCAL);
  EXPECT_EQ(code(kAddress + (1 << 21)), KAWARA_FAULT_page_fault);
}

TEST_F(AddressSpaceTest, TablesOutsideHostMemoryAreABusError) {
  map(kAddress, 0, kReadWrite | KAWARA_PTE_LOCAL);
  entry(kAddress, 2) = 0x7000 | KAWARA_PTE_VALID;
  const auto runs = space.translate(kAddress, 16, true, 10);
  ASSERT_FALSE(runs);
  EXPECT_EQ(runs.error(), (ChipFault{.code = KAWARA_FAULT_host_bus_error, .address = 0x7000 + (kAddress >> 12 & 511) * 8}));
}

TEST_F(AddressSpaceTest, MorePiecesThanAllowedAreASplitRegion) {
  for (uint64_t page = 0; page < 4; ++page) map(kAddress + page * 4096, page * 8192, kReadWrite | KAWARA_PTE_LOCAL);
  EXPECT_TRUE(space.translate(kAddress, 4 * 4096, false, 4));
  const auto runs = space.translate(kAddress, 4 * 4096, false, 3);
  ASSERT_FALSE(runs);
  EXPECT_EQ(runs.error(), (ChipFault{.code = KAWARA_FAULT_region_split, .address = kAddress + 3 * 4096}));
}

}  // namespace
}  // namespace kawara::emulator
