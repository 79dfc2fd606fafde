// SPDX-License-Identifier: Apache-2.0
#include "switch_points.h"

#include <gmock/gmock.h>

#include "compiler/compile_text.h"
#include "compiler/model_texts.h"
#include "kawara/file/program_regions.h"
#include "kawara/hw/cost.h"

namespace kawara::test {
namespace {

using ::testing::IsEmpty;

struct Alone {
  uint64_t cycles;
  bool ends;
};

// What the chip's check counts for each command of a program.
std::vector<Alone> alone(const Program& program) {
  const auto regions = file::region_table(program.regions());
  const kawara_cost_view view{.config = &compiler::find_target(program.target()),
                              .regions = regions.data(),
                              .n_regions = static_cast<uint32_t>(regions.size()),
                              .memories = nullptr};
  std::vector<Alone> result;
  for (const uint32_t offset : command_offsets(program)) {
    const auto* header = reinterpret_cast<const kawara_header*>(program.commands().data() + offset);
    kawara_cost cost{};
    kawara_cost_command(header, &view, &cost);
    result.push_back({cost.alone, (header->flags & KAWARA_HEADER_SWITCH_POINT) != 0});
  }
  return result;
}

// Bytes of SRAM that are read in a segment that did not write them before: they could be anything.
size_t undefined_sram_bytes(const Program& program) {
  size_t count = 0;
  Touched written;
  for (const uint32_t offset : command_offsets(program)) {
    const hw::CommandView command(program.commands(), offset);
    const Footprint footprint = footprint_of(command);
    for (const auto& [region, bytes] : footprint.read) {
      if (program.regions()[region].role != ProgramRegion::Role::sram) continue;
      auto& there = written[region];
      there.resize(std::max(there.size(), bytes.size()));
      for (size_t i = 0; i < bytes.size(); ++i) count += bytes[i] && !there[i];
    }
    for (const auto& [region, bytes] : footprint.written) {
      auto& there = written[region];
      there.resize(std::max(there.size(), bytes.size()));
      for (size_t i = 0; i < bytes.size(); ++i) there[i] = there[i] || bytes[i];
    }
    if (command.header().flags & KAWARA_HEADER_SWITCH_POINT) written.clear();
  }
  return count;
}

std::vector<std::vector<std::byte>> inputs_of(const Program& program) {
  std::vector<std::vector<std::byte>> inputs;
  for (const TensorInfo& input : program.inputs()) {
    const Array values = numbers(input.shape, static_cast<uint32_t>(inputs.size() + 1));
    const auto bytes = std::as_bytes(std::span(values.values));
    inputs.emplace_back(bytes.begin(), bytes.end());
  }
  return inputs;
}

TEST(SwitchPoints, SegmentsKeepToTheirShareAndTheResultStaysTheSame) {
  size_t segments = 0, in_sram = 0;
  for (const std::string& text : model_texts()) {
    const Program whole = compile_text(text);
    for (const uint64_t limit : {3000u, 6000u, 12000u}) {
      const Program program = compile_text(text, "k1", {.segment_cycles_max = limit});
      uint64_t cycles = 0, commands = 0;
      for (const Alone& command : alone(program)) {
        cycles += command.cycles;
        ++commands;
        EXPECT_TRUE(cycles <= limit / 4 || commands == 1) << text;
        segments += command.ends;
        if (command.ends) cycles = commands = 0;
      }
      EXPECT_FALSE(alone(program).back().ends);  // the job's end is one anyway
      EXPECT_THAT(races(program), IsEmpty());
      EXPECT_EQ(undefined_sram_bytes(program), 0u);
      EXPECT_EQ(run_program(program, inputs_of(program)), run_program(whole, inputs_of(whole)));
      in_sram += program.regions().back().role == ProgramRegion::Role::sram;
    }
  }
  EXPECT_GT(segments, 20u);
  EXPECT_GT(in_sram, 3u);
}

TEST(SwitchPoints, AShortProgramHasNone) {
  for (const std::string& text : model_texts())
    for (const Alone& command : alone(compile_text(text))) EXPECT_FALSE(command.ends);
}

TEST(SwitchPoints, ACommandThatNoSegmentHoldsIsRefused) {
  try {
    compile_text(model_texts()[0], "k1", {.segment_cycles_max = 100});
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unsupported);
    EXPECT_FALSE(error.node().empty());
    EXPECT_THAT(error.what(), testing::HasSubstr("a command runs for at most 100 cycles"));
  }
}

TEST(SwitchPoints, StandWhereTheFewestBytesLiveAcross) {
  compiler::Commands model;
  std::vector<compiler::Price> prices(6, {.cycles = 0, .most = 100, .bytes = {}});
  model.commands.resize(6);
  const auto lives = [&](uint64_t size, std::initializer_list<size_t> commands) {
    model.buffers.push_back({.role = compiler::Buffer::Role::arena, .index = 0, .size_bytes = size, .constant = {}});
    for (const size_t at : commands)
      model.commands[at].accesses.push_back(
          {.buffer = static_cast<uint32_t>(model.buffers.size() - 1), .begin = 0, .end = 1, .write = false});
  };
  lives(4096, {0, 1});
  lives(4096, {1, 2});
  lives(16, {2, 3});
  lives(4096, {3, 4});
  lives(4096, {4, 5});
  compiler::set_switch_points(model, prices, 1600);  // four commands a segment
  std::vector<bool> ends;
  for (const compiler::Command& command : model.commands) ends.push_back(command.switch_point);
  EXPECT_THAT(ends, testing::ElementsAre(false, false, true, false, false, false));
}

}  // namespace
}  // namespace kawara::test
