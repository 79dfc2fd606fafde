// SPDX-License-Identifier: Apache-2.0
// The race check beside an oracle that walks every element; and programs whose waits were taken away.
#include "race_check.h"

#include <gmock/gmock.h>

#include <random>

#include "compiler/compile_text.h"
#include "compiler/model_texts.h"
#include "footprint.h"
#include "kawara/file/program_regions.h"
#include "kawara/hw/encode.h"

namespace kawara::test {
namespace {

using compiler::find_race;
using ::testing::IsEmpty;

TEST(RaceCheck, LetsPassWhatTheOracleLetsPass) {
  for (const std::string& text : model_texts()) {
    const Program program = compile_text(text);
    EXPECT_THAT(races(program), IsEmpty());
    EXPECT_FALSE(find_race(program.commands(), file::region_table(program.regions())));
  }
}

// Takes waits away, or makes them wait for less.
void weaken(std::span<std::byte> commands, std::span<const uint32_t> offsets, std::mt19937& random, int changes) {
  for (int i = 0; i < changes; ++i) {
    auto* header = reinterpret_cast<kawara_header*>(commands.data() + offsets[random() % offsets.size()]);
    for (kawara_type_wait& wait : header->wait) {
      const uint32_t count = kawara_wait_count(wait);
      if (count > 0) wait = random() % 2 && count > 1 ? kawara_wait(kawara_wait_engine(wait), count - 1) : 0;
    }
  }
}

TEST(RaceCheck, FindsEveryRaceThatTheOracleFinds) {
  std::mt19937 random(7);
  int found = 0, tried = 0;
  for (const std::string& text : model_texts()) {
    const Program program = compile_text(text);
    const auto regions = file::region_table(program.regions());
    const auto offsets = command_offsets(program);
    for (int seed = 0; seed < 40; ++seed) {
      std::vector<std::byte> commands(program.commands().begin(), program.commands().end());
      weaken(commands, offsets, random, 1 + seed % 4);
      const bool races_for_certain = !races(commands, offsets).empty();
      const bool race = find_race(commands, regions).has_value();
      EXPECT_TRUE(race || !races_for_certain) << text;
      ++tried;
      found += races_for_certain;
    }
  }
  EXPECT_GT(found, tried / 4);  // else the seeds would prove little
}

// Each wait of a schedule is there for a reason: without it, or with one less to wait for, there is a race.
TEST(RaceCheck, MissesNoSingleWait) {
  for (const std::string& text : model_texts()) {
    const Program program = compile_text(text);
    const auto regions = file::region_table(program.regions());
    for (const uint32_t offset : command_offsets(program))
      for (int i = 0; i < 3; ++i) {
        std::vector<std::byte> commands(program.commands().begin(), program.commands().end());
        kawara_type_wait& wait = reinterpret_cast<kawara_header*>(commands.data() + offset)->wait[i];
        if (kawara_wait_count(wait) == 0) continue;
        wait = kawara_wait(kawara_wait_engine(wait), kawara_wait_count(wait) - 1);
        const auto race = find_race(commands, regions);
        ASSERT_TRUE(race) << "the command at byte " << offset << " may wait for less in\n" << text;
        EXPECT_LT(race->earlier, race->later);
      }
  }
}

TEST(RaceCheck, FootprintsHoldEveryByteThatACommandTouches) {
  for (const std::string& text : model_texts()) {
    const Program program = compile_text(text);
    for (const uint32_t offset : command_offsets(program)) {
      const hw::CommandView command(program.commands(), offset);
      const auto ranges = compiler::footprints(command);
      const Footprint exact = footprint_of(command);
      for (const bool write : {false, true})
        for (const auto& [region, bytes] : write ? exact.written : exact.read)
          for (size_t at = 0; at < bytes.size(); ++at)
            EXPECT_TRUE(!bytes[at] || std::ranges::any_of(ranges,
                                                          [&](const compiler::Footprint& range) {
                                                            return range.region == region && range.write == write && range.begin <= at &&
                                                                   at < range.end;
                                                          }))
                << "byte " << at << " of region " << region << " in\n"
                << text;
    }
  }
}

// A copy of 64 bytes from one place to another.
std::vector<std::byte> copy(kawara_engine engine, uint64_t from, uint64_t to, std::initializer_list<uint32_t> waits = {},
                            bool ends = false) {
  auto body = hw::blank<kawara_copy>();
  body.header.engine = engine;
  body.dtype = KAWARA_DTYPE_u8;
  body.extent[5] = body.src_extent[5] = 64;
  body.src_stride[5] = body.dst_stride[5] = 1;
  body.src = from;
  body.dst = to;
  std::ranges::copy(waits, body.header.wait);
  if (ends) body.header.flags |= KAWARA_HEADER_SWITCH_POINT;
  return hw::encode(body);
}

// Regions: 0 and 1 memory, 2 SRAM with the numbers of region 0 as its addresses.
std::optional<compiler::Race> race_of(std::initializer_list<std::vector<std::byte>> commands) {
  hw::Commands job;
  for (const auto& command : commands) job.append(command);
  std::vector<kawara_region> regions(3);
  for (kawara_region& region : regions) region.size = 4096;
  regions[0].address = 0x10000;
  regions[1].address = 0x20000;
  regions[2].address = 0x10000;
  regions[2].flags = KAWARA_REGION_SRAM;
  return find_race(job.bytes(), regions);
}

uint64_t at(uint32_t region, uint64_t offset) { return kawara_operand(region, offset); }

TEST(RaceCheck, NamesBothCommandsAndTheRegion) {
  const auto race = race_of({copy(KAWARA_ENGINE_DMA_IN, at(0, 0), at(1, 0)), copy(KAWARA_ENGINE_DMA_OUT, at(1, 63), at(1, 512))});
  ASSERT_TRUE(race);
  EXPECT_EQ(race->earlier, 0u);
  EXPECT_EQ(race->later, 240u);
  EXPECT_EQ(race->region, 1u);
}

TEST(RaceCheck, NeighboursAndReadersDoNotRace) {
  EXPECT_FALSE(race_of({copy(KAWARA_ENGINE_DMA_IN, at(0, 0), at(1, 0)), copy(KAWARA_ENGINE_DMA_OUT, at(1, 64), at(1, 512))}));
  EXPECT_FALSE(race_of({copy(KAWARA_ENGINE_DMA_IN, at(0, 0), at(1, 0)), copy(KAWARA_ENGINE_DMA_OUT, at(0, 0), at(1, 512))}));
}

TEST(RaceCheck, AWriteMustWaitForReadersToo) {
  const auto reads = copy(KAWARA_ENGINE_DMA_IN, at(0, 0), at(1, 0));
  EXPECT_TRUE(race_of({reads, copy(KAWARA_ENGINE_DMA_OUT, at(1, 512), at(0, 32))}));
  EXPECT_FALSE(race_of({reads, copy(KAWARA_ENGINE_DMA_OUT, at(1, 512), at(0, 32), {kawara_wait(KAWARA_ENGINE_DMA_IN, 1)})}));
}

TEST(RaceCheck, SramAndMemoryOfOneNumberAreTwoPlaces) {
  EXPECT_FALSE(race_of({copy(KAWARA_ENGINE_DMA_IN, at(1, 0), at(0, 0)), copy(KAWARA_ENGINE_DMA_OUT, at(2, 0), at(1, 512))}));
  EXPECT_TRUE(race_of({copy(KAWARA_ENGINE_DMA_IN, at(1, 0), at(2, 0)), copy(KAWARA_ENGINE_DMA_OUT, at(2, 0), at(1, 512))}));
}

TEST(RaceCheck, ASwitchPointIsAnOrder) {
  const auto reads = copy(KAWARA_ENGINE_DMA_OUT, at(1, 0), at(1, 512));
  EXPECT_FALSE(race_of({copy(KAWARA_ENGINE_DMA_IN, at(0, 0), at(1, 0), {}, true), reads}));
  // All that stands before it has retired, whoever carries the mark.
  EXPECT_FALSE(
      race_of({copy(KAWARA_ENGINE_DMA_IN, at(0, 0), at(1, 0)), copy(KAWARA_ENGINE_DMA_OUT, at(0, 0), at(1, 1024), {}, true), reads}));
  // What carries the mark itself does not wait.
  EXPECT_TRUE(race_of({copy(KAWARA_ENGINE_DMA_IN, at(0, 0), at(1, 0)), copy(KAWARA_ENGINE_DMA_OUT, at(1, 0), at(1, 1024), {}, true)}));
}

TEST(RaceCheck, ALimitIsRead) {
  auto body = hw::blank<kawara_copy>();
  body.header.engine = KAWARA_ENGINE_DMA_OUT;
  body.header.flags = 5;
  body.header.limit = at(1, 60);
  body.dtype = KAWARA_DTYPE_u8;
  body.src = at(0, 0);
  body.dst = at(1, 512);
  const auto writes = copy(KAWARA_ENGINE_DMA_IN, at(0, 0), at(1, 0));
  EXPECT_TRUE(race_of({writes, hw::encode(body)}));
  body.header.limit = at(1, 64);
  EXPECT_FALSE(race_of({writes, hw::encode(body)}));
}

TEST(RaceCheck, AnEventWritesItsCounters) {
  auto event = hw::blank<kawara_event>();
  const auto reads = copy(KAWARA_ENGINE_DMA_OUT, at(1, 0), at(1, 512));
  event.dst = at(1, 56);
  EXPECT_TRUE(race_of({hw::encode(event), reads}));
  event.dst = at(1, 64);
  EXPECT_FALSE(race_of({hw::encode(event), reads}));
  event.header.wait[0] = kawara_wait(KAWARA_ENGINE_DMA_OUT, 1);
  event.dst = at(1, 0);
  EXPECT_FALSE(race_of({reads, hw::encode(event)}));
}

// Ten thousand pieces and ten thousand readers of them all: pair by pair this would take minutes.
TEST(RaceCheck, TakesNoSquareOfTheLength) {
  hw::Commands job;
  for (uint32_t i = 0; i < 10000; ++i) job.append(copy(KAWARA_ENGINE_DMA_IN, at(0, 0), at(1, i * 64)));
  auto body = hw::blank<kawara_copy>();
  body.header.engine = KAWARA_ENGINE_DMA_OUT;
  body.header.wait[0] = kawara_wait(KAWARA_ENGINE_DMA_IN, 10000);
  body.dtype = KAWARA_DTYPE_u8;
  body.extent[5] = body.src_extent[5] = 640000;
  body.src_stride[5] = body.dst_stride[5] = 1;
  body.src = at(1, 0);
  body.dst = at(2, 0);
  for (uint32_t i = 0; i < 10000; ++i) job.append(hw::encode(body));
  std::vector<kawara_region> regions(3);
  for (uint32_t i = 0; i < 3; ++i) {
    regions[i].address = (i + 1) << 20;
    regions[i].size = 1 << 20;
  }
  EXPECT_FALSE(find_race(job.bytes(), regions));
}

}  // namespace
}  // namespace kawara::test
