// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <string>

#include "emulator/chip/chip_bench.h"

namespace kawara::emulator {
namespace {

constexpr kawara_config kConfig{.name = "registers",
                                .local_mib = 3,
                                .sram_kib = 5,
                                .me_rows = 1,
                                .me_columns = 1,
                                .ve_lanes = 1,
                                .clock_mhz = 700,
                                .local_gb_s = 1,
                                .sram_gb_s = 1,
                                .pcie_gb_s = 1,
                                .features = KAWARA_GLOBAL_FEATURES_LIMIT};

struct FreshChip {
  HostMemory memory;
  Chip chip{kConfig, memory, [](auto, auto) { return Execute(); }, [](unsigned) {}};
};

enum Right { RO, RW, WO, W1C };
struct Row {
  std::string name;
  uint32_t base, stride, count, offset;
  Right right;
  uint32_t reset, fields;
};

std::vector<Row> rows() {
  struct BlockRow {
    uint32_t base, stride, count;
  };
  std::map<std::string, BlockRow> blocks;
  std::map<std::string, uint32_t> fields;
  std::vector<Row> result;
#define BLOCK(name, base, stride, count, doc) blocks[#name] = {base, stride, count};
#define FIELD(block, reg, name, high, low, doc) fields[#block "." #reg] |= KAWARA_MASK(high, low);
#include "kawara/hw/registers.def"
#define REGISTER(block, name, offset, access, reset, doc)                                                                      \
  result.push_back({#block "." #name, blocks[#block].base, blocks[#block].stride, blocks[#block].count, offset, access, reset, \
                    fields[#block "." #name] == 0 ? ~0u : fields[#block "." #name]});
#include "kawara/hw/registers.def"
  return result;
}

// What the configuration or the clock decides instead of the table.
const std::map<std::string, uint32_t> kOfThisChip = {
    {"GLOBAL.FEATURES", 0x11}, {"GLOBAL.COUNTS", 9u << 20 | 256u << 8 | 8},  {"GLOBAL.LOCAL_MIB", 3},
    {"GLOBAL.SRAM_KIB", 5},    {"GLOBAL.LIMITS", 12u << 16 | 24u << 8 | 28}, {"GLOBAL.STATUS", 3},
    {"PMU.CLOCK_MHZ", 700},
};
bool runs_freely(const std::string& name) { return name.starts_with("GLOBAL.TIMESTAMP"); }

void expect_reset_values(Chip& chip) {
  for (const Row& row : rows()) {
    if (runs_freely(row.name)) continue;
    const auto own = kOfThisChip.find(row.name);
    for (uint32_t instance = 0; instance < row.count; ++instance)
      ASSERT_EQ(chip.read(row.base + row.stride * instance + row.offset), own == kOfThisChip.end() ? row.reset : own->second)
          << row.name << " " << instance;
  }
}

TEST(Registers, ShowTheirResetValues) {
  FreshChip fresh;
  expect_reset_values(fresh.chip);
}

TEST(Registers, KeepTheirAccessRights) {
  for (const Row& row : rows()) {
    for (const uint32_t instance : {0u, row.count - 1}) {
      if (runs_freely(row.name) || row.name == "CONTEXT.INVALIDATE") continue;
      FreshChip fresh;
      const uint32_t address = row.base + row.stride * instance + row.offset;
      const uint32_t before = fresh.chip.read(address);
      fresh.chip.write(address, ~0u);
      switch (row.right) {
        case RO: EXPECT_EQ(fresh.chip.read(address), before) << row.name; break;
        case RW: EXPECT_EQ(fresh.chip.read(address), row.fields) << row.name; break;
        case WO: EXPECT_EQ(fresh.chip.read(address), 0u) << row.name; break;
        case W1C: EXPECT_EQ(fresh.chip.read(address), 0u) << row.name; break;
      }
    }
  }
}

TEST(Registers, ShowNothingWhereThereIsNone) {
  FreshChip fresh;
  const uint32_t beyond = KAWARA_BAR0_BYTES;
  for (const uint32_t address : {0x048u, 0x0fcu, 0x2004u, 0x4000u, KAWARA_REGISTER(QUEUE, 2, FAULT_FIELD) + 4, beyond, ~0u, ~3u}) {
    fresh.chip.write(address, 0x12345678);
    EXPECT_EQ(fresh.chip.read(address), 0u) << address;
  }
  EXPECT_EQ(fresh.chip.read(KAWARA_GLOBAL_IDENT + 1), 0u);
  expect_reset_values(fresh.chip);
}

TEST(Registers, ReturnToTheirResetValuesWithTheDevice) {
  FreshChip fresh;
  for (const Row& row : rows())
    if (row.right == RW) fresh.chip.write(row.base + row.offset, ~0u);
  fresh.chip.write(KAWARA_GLOBAL_RESET, 1);  // not the key
  EXPECT_EQ(fresh.chip.read(KAWARA_GLOBAL_SCRATCH), ~0u);
  fresh.chip.write(KAWARA_GLOBAL_RESET, KAWARA_RESET_KEY);
  ASSERT_TRUE(wait_until([&] { return (fresh.chip.read(KAWARA_GLOBAL_STATUS) & KAWARA_GLOBAL_STATUS_READY) != 0; }));
  expect_reset_values(fresh.chip);
}

TEST(Registers, LatchTheHighHalfOfTheClockWithTheLow) {
  FreshChip fresh;
  const auto now = [&] {
    const uint64_t low = fresh.chip.read(KAWARA_GLOBAL_TIMESTAMP_LO);
    return low | uint64_t{fresh.chip.read(KAWARA_GLOBAL_TIMESTAMP_HI)} << 32;
  };
  const uint64_t first = now();
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const uint64_t elapsed = now() - first;
  EXPECT_GE(elapsed, 2'000'000u);
  EXPECT_LT(elapsed, 10'000'000'000u);
}

TEST(Registers, InvalidationIsOverAtOnceWithoutAJob) {
  FreshChip fresh;
  fresh.chip.write(KAWARA_REGISTER(CONTEXT, 9, INVALIDATE), 1);
  EXPECT_EQ(fresh.chip.read(KAWARA_REGISTER(CONTEXT, 9, INVALIDATE)), 0u);
}

}  // namespace
}  // namespace kawara::emulator
