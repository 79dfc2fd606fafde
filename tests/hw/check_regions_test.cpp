// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "hw/check_fixture.h"

namespace kawara::hw {
namespace {

class CheckRegions : public Check {
 protected:
  void expect_bad_region(size_t index, size_t field, std::source_location here = std::source_location::current()) {
    EXPECT_EQ(check(encode(blank<kawara_nop>())), -1) << here.line();
    EXPECT_EQ(fault_name(fault.code), "bad_region") << here.line();
    EXPECT_EQ(fault.field, index * sizeof(kawara_region) + field) << here.line();
    EXPECT_EQ(fault.address, regions[index].address) << here.line();
  }
  void expect_good_regions(std::source_location here = std::source_location::current()) {
    expect_accepted(encode(blank<kawara_nop>()), here);
  }

  static kawara_region region(uint64_t address, uint64_t size, uint32_t flags) {
    return {.address = address, .size = size, .flags = flags, .reserved0 = 0, .reserved1 = 0};
  }
};

constexpr uint32_t kRead = KAWARA_REGION_READ, kBoth = KAWARA_REGION_READ | KAWARA_REGION_WRITE, kSram = KAWARA_REGION_SRAM;
constexpr uint32_t alias(uint32_t group) { return group << KAWARA_REGION_ALIAS_LOW; }

TEST_F(CheckRegions, RefusesReservedBitsAndUnknownKinds) {
  for (uint32_t wrong : {2u, 3u, 4u, 0x40u, 0x8000u}) {
    regions[1].flags = kRead | wrong;
    expect_bad_region(1, offsetof(kawara_region, flags));
  }
  regions = sample_regions();
  regions[2].reserved0 = 1;
  expect_bad_region(2, offsetof(kawara_region, reserved0));
  regions = sample_regions();
  regions[3].reserved1 = 1;
  expect_bad_region(3, offsetof(kawara_region, reserved1));
}

TEST_F(CheckRegions, RefusesASizeAboveATebibyteOrOutsideTheAddressSpace) {
  regions[2].size = (1ull << 40) + 1;
  expect_bad_region(2, offsetof(kawara_region, size));
  regions[2].size = (1ull << 39) - regions[2].address;
  expect_good_regions();
  regions[2].size += 1;
  expect_bad_region(2, offsetof(kawara_region, size));
  regions[2] = region(~15ull, 0, kRead);
  expect_bad_region(2, offsetof(kawara_region, address));
}

TEST_F(CheckRegions, RefusesAMisalignedStart) {
  regions[0].address += 8;
  expect_bad_region(0, offsetof(kawara_region, address));
}

TEST_F(CheckRegions, KeepsSramInsideTheScratchpad) {
  regions[3] = region(limits.sram_bytes - 64, 64, kBoth | kSram);
  expect_good_regions();
  regions[3].size = 65;
  expect_bad_region(3, offsetof(kawara_region, size));
  regions[3] = region(limits.sram_bytes + 16, 0, kBoth | kSram);
  expect_bad_region(3, offsetof(kawara_region, address));
}

TEST_F(CheckRegions, RefusesMoreRowsThanATableHolds) {
  regions.assign(KAWARA_REGION_COUNT_MAX, region(0x10000, 16, kRead));
  expect_good_regions();
  regions.push_back(regions[0]);
  EXPECT_EQ(check(encode(blank<kawara_nop>())), -1);
  EXPECT_EQ(fault_name(fault.code), "bad_region");
  EXPECT_EQ(fault.field, KAWARA_REGION_COUNT_MAX * sizeof(kawara_region));
}

TEST_F(CheckRegions, OverlapNeedsReadOnlyOrOneAliasGroup) {
  regions = {region(0x10000, 0x100, kRead), region(0x10080, 0x100, kRead)};
  expect_good_regions();
  regions[1].flags = kBoth;
  expect_bad_region(1, offsetof(kawara_region, address));
  regions[0].flags = kRead | alias(3);
  expect_bad_region(1, offsetof(kawara_region, address));
  regions[1].flags = kBoth | alias(3);
  expect_good_regions();
  regions[1].flags = kBoth | alias(4);
  expect_bad_region(1, offsetof(kawara_region, address));
}

TEST_F(CheckRegions, TouchingAndEmptyRegionsDoNotOverlap) {
  regions = {region(0x10000, 0x100, kBoth), region(0x10100, 0x100, kBoth), region(0x10000, 0, kBoth), region(0x10010, 0, kBoth)};
  expect_good_regions();
}

TEST_F(CheckRegions, SramAndMemoryAtOneNumberDoNotOverlap) {
  regions = {region(0x10000, 0x100, kBoth), region(0x10000, 0x100, kBoth | kSram)};
  expect_good_regions();
}

TEST_F(CheckRegions, ALongRegionIsComparedWithMoreThanItsNeighbour) {
  regions = {region(0x10000, 0x1000, kBoth | alias(1)), region(0x10100, 0x10, kBoth | alias(1)), region(0x10800, 0x10, kBoth | alias(2))};
  expect_bad_region(2, offsetof(kawara_region, address));
}

// The sweep against every pair, on random tables.
TEST_F(CheckRegions, FindsAnOverlapExactlyWhenAPairOverlaps) {
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    regions.clear();
    const int count = 1 + static_cast<int>(random() % 6);
    for (int i = 0; i < count; ++i)
      regions.push_back(region(0x10000 + random() % 40 * 16, random() % 12 * 16, (random() % 2 ? kBoth : kRead) | alias(random() % 3)));
    bool overlap = false;
    for (int i = 0; i < count; ++i)
      for (int j = 0; j < i; ++j) {
        const kawara_region &a = regions[static_cast<size_t>(i)], &b = regions[static_cast<size_t>(j)];
        const bool meet = a.size && b.size && a.address < b.address + b.size && b.address < a.address + a.size;
        const bool grouped = a.flags >> 16 != 0 && a.flags >> 16 == b.flags >> 16;
        overlap |= meet && !grouped && ((a.flags | b.flags) & KAWARA_REGION_WRITE) != 0;
      }
    EXPECT_EQ(check(encode(blank<kawara_nop>())), overlap ? -1 : 1) << "round " << round;
    refused += overlap;
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 4000);
}

}  // namespace
}  // namespace kawara::hw
