// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include <nlohmann/json.hpp>

#include "compiler/compile_text.h"
#include "compiler/model_texts.h"
#include "compiler/run_program.h"
#include "kawara/error.h"
#include "lowering.h"
#include "plan.h"

namespace kawara::test {
namespace {

TEST(Emit, TheSameGraphGivesTheSameBytes) {
  const std::string text = R"(graph "g" opset 13 (%x: f32[2,3,8,8]) {
    %w = f32[3,3,3,3] random<7>
    %same = f32[3,3,3,3] random<7>
    %a = Conv(%x, %w) { pads = [1, 1, 1, 1] }
    %b = Conv(%a, %same) { pads = [1, 1, 1, 1] }
    return %b
  })";
  const Program once = compile_text(text), again = compile_text(text);
  EXPECT_TRUE(std::ranges::equal(once.commands(), again.commands()));
  EXPECT_TRUE(std::ranges::equal(once.weights(), again.weights()));
  EXPECT_EQ(once.report(), again.report());
  EXPECT_EQ(once.weights().size(), 512u);  // 324 bytes once, aligned to 256
}

// Whatever depends on addresses, or on bytes that nobody wrote, would differ between the two.
TEST(Emit, TheStateOfTheHeapLeavesNoTrace) {
  for (const std::string& text : model_texts()) {
    const Program clean = compile_text(text);
    std::mt19937 random(3);
    std::vector<std::unique_ptr<unsigned char[]>> kept;
    for (int i = 0; i < 4000; ++i) {
      const size_t size = 1 + random() % 3000;
      auto block = std::make_unique<unsigned char[]>(size);
      std::memset(block.get(), 0xa5, size);
      if (random() % 3) kept.push_back(std::move(block));  // the others leave gaps, full of other bytes
    }
    const Program crowded = compile_text(text);
    const auto saved = [](const Program& program, const char* name) {
      const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / name;
      program.save(path);
      std::ifstream file(path, std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      std::filesystem::remove(path);
      return bytes;
    };
    const std::string name = fmt::format("kawara_determinism_{}.kwr", getpid());
    EXPECT_EQ(saved(clean, name.c_str()), saved(crowded, name.c_str()));
  }
}

// model_texts()[3] multiplies floats: what the report counts is all its commands, and every product that a sum may have.
TEST(Emit, TheReportSaysHowNearTheNumbersAre) {
  const Program program = compile_text(model_texts()[3]);
  const auto report = nlohmann::json::parse(program.report());
  const auto& fidelity = report["fidelity"];
  uint64_t products = 0;
  uint32_t floats = 0;
  for (const uint32_t offset : command_offsets(program)) {
    const hw::CommandView command(program.commands(), offset);
    if (command.opcode() == KAWARA_COMMAND_gemm) ++floats, products = std::max<uint64_t>(products, command.body<kawara_gemm>().K);
    if (command.opcode() != KAWARA_COMMAND_conv) continue;
    const auto& conv = command.body<kawara_conv>();
    ++floats, products = std::max(products, uint64_t{conv.IC} * conv.kernel[0] * conv.kernel[1] * conv.kernel[2]);
  }
  ASSERT_GT(floats, 0u);
  EXPECT_EQ(fidelity["device_dependent"], floats);
  EXPECT_EQ(fidelity["depth_max"], products);
  EXPECT_EQ(fidelity["exact"].get<int>() + fidelity["bounded"].get<int>() + fidelity["device_dependent"].get<int>(), report["commands"]);
  EXPECT_EQ(fidelity["bounded"] > 0, fidelity["bound_ulp"] > 0);
}

TEST(Emit, TheReportSaysWhereMemoryAndTimeGo) {
  const auto report = nlohmann::json::parse(compile_text(model_texts()[3]).report());
  EXPECT_GT(report["predicted_cycles"], 0);
  EXPECT_EQ(report["segments"], 1);
  EXPECT_GT(report["busy_percent"]["matrix"], 0);
  EXPECT_LE(report["busy_percent"]["matrix"], 100);
  for (const std::string place : {"arena", "sram"})
    EXPECT_EQ(report[place + "_bytes"].get<int64_t>() - report[place + "_bound_bytes"].get<int64_t>(), report[place + "_over_bound_bytes"]);
  for (const std::string place : {"arena", "sram"}) EXPECT_EQ(report[place + "_proof"], "none smaller: so much is alive at one command");
  EXPECT_GT(report["sram_bytes"], 0);
  EXPECT_GE(report["traffic_kept_off_local_memory_bytes"], report["sram_bytes"]);
}

TEST(Emit, WhatTheScratchpadCanNotHoldStaysInLocalMemory) {
  const std::string text = R"(graph "g" opset 13 (%x: f32[700,700]) {
    %a = MatMul(%x, %x)
    %b = Softmax(%a)
    %y = MatMul(%b, %x)
    return %y
  })";
  const Program large = compile_text(text, "k1"), small = compile_text(text, "k1-mini");
  const auto bytes = [](const Program& program, ProgramRegion::Role role) {
    uint64_t sum = 0;
    for (const ProgramRegion& region : program.regions()) sum += region.role == role ? region.size_bytes : 0;
    return sum;
  };
  EXPECT_EQ(bytes(large, ProgramRegion::Role::arena), 0u);
  EXPECT_GT(bytes(small, ProgramRegion::Role::arena), 0u);
  EXPECT_GT(bytes(small, ProgramRegion::Role::sram), 0u);
  EXPECT_LE(bytes(small, ProgramRegion::Role::sram), 2048u * 1024);
}

// The copies at the border have numbers of their own, not those of nodes that were fused into another's command.
TEST(Emit, NumbersBorderCopiesBehindAllNodes) {
  const Program program = compile_text(R"(graph "g" opset 13 (%x: f32[4]) {
    %a = Neg(%x)
    %y = Relu(%a)
    return %y
  })");
  std::vector<std::pair<uint32_t, std::string>> entries;
  for (const DebugEntry& entry : program.debug()) entries.emplace_back(entry.id, entry.op);
  EXPECT_THAT(entries, testing::UnorderedElementsAre(testing::Pair(1, "Neg+Relu"), testing::Pair(3, "Input"), testing::Pair(4, "Output")));
}

// y = x + 1, for as many elements as the first four bytes of x say.
struct Limited {
  explicit Limited(const kawara_config& target)
      : graph(specialised("graph \"g\" opset 13 (%x: f32[16]) {\n %one = f32[] dense<1>\n %y = Add(%x, %one)\n return %y\n}")) {
    compiler::Plan plan = compiler::make_plan(compiler::Lowering(graph).run(), target, {});
    for (compiler::Command& command : plan.commands.commands) {
      if (auto* vector = std::get_if<kawara_vector>(&command.body)) {
        vector->header.flags = 0;  // the first dimension
        vector->header.limit = hw::operand(kawara_operand_region(command.section->streams[0].data), 0);
      }
    }
    program.emplace(compiler::emit(graph, plan.commands, plan.allocation, target, {.graph = graph, .origin = {}}));
  }

  compiler::Graph graph;
  std::optional<Program> program;
};

TEST(Emit, LetsCommandsBeLimitedOnAChipThatKnowsLimits) {
  const Limited limited(compiler::find_target("k1-mini"));
  std::vector<float> x(16);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  x[0] = std::bit_cast<float>(5);
  const std::vector<float> y = run_floats(*limited.program, {x});
  for (size_t i = 1; i < x.size(); ++i) EXPECT_EQ(y[i] == x[i] + 1, i < 5) << i << ": " << y[i];
}

TEST(Emit, RefusesALimitForAChipWithoutThem) {
  kawara_config target = compiler::find_target("k1-mini");
  target.features = 0;
  try {
    const Limited limited(target);
    FAIL() << "the chip would refuse it";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::internal);
    EXPECT_THAT(error.what(), testing::HasSubstr("breaks a rule of the chip: bad_command"));
  }
}

}  // namespace
}  // namespace kawara::test
