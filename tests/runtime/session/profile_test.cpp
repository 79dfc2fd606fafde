// SPDX-License-Identifier: Apache-2.0
// What a profile says of a program, held to what the chip counts when it runs.
#include "kawara/profile.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "build.h"
#include "emit.h"
#include "graph_text.h"
#include "kawara/error.h"
#include "kawara/inference_session.h"
#include "specialise.h"

namespace kawara::test {
namespace {

using ::testing::HasSubstr;

// A product for the matrix engine, and a softmax after it for the vector engine.
Program product_and_softmax(std::string_view target) {
  compiler::Graph graph = compiler::parse_graph(
      "graph \"g\" opset 14 (%x: f32[64,96], %w: f32[96,80]) {\n %p = MatMul(%x, %w)\n %y = Softmax(%p)\n return %y\n}");
  compiler::specialise(graph, {});
  return compiler::build(std::move(graph), compiler::find_target(target));
}

Program changed(const Program& program, const std::function<void(ProgramContents&)>& change) {
  ProgramContents contents;
  contents.target = program.target();
  contents.isa_version = program.isa_version();
  contents.commands.assign(program.commands().begin(), program.commands().end());
  contents.regions.assign(program.regions().begin(), program.regions().end());
  contents.inputs.assign(program.inputs().begin(), program.inputs().end());
  contents.outputs.assign(program.outputs().begin(), program.outputs().end());
  contents.weights.assign(program.weights().begin(), program.weights().end());
  change(contents);
  return Program(std::move(contents));
}

TEST(Profile, CountsTheCyclesThatTheChipCounts) {
  for (const char* target : {"k1", "k1-mini"}) {
    const Program program = product_and_softmax(target);
    InferenceSession session(program, std::string("emulator:reference,config=") + target);
    Binding binding = session.bind({{.name = "x", .dtype = DType::f32, .shape = {64, 96}, .bytes = {}},
                                    {.name = "w", .dtype = DType::f32, .shape = {96, 80}, .bytes = {}}});
    binding.run();
    const Profile told = profile(program);
    EXPECT_EQ(told.cycles, binding.report().cycles) << target;
    EXPECT_EQ(told.commands.size(), binding.report().commands) << target;
    EXPECT_EQ(told.clock_mhz, 1000u);
  }
}

TEST(Profile, OfEachCommandSaysItsNodeItsEngineAndItsPlaceInTime) {
  const Profile told = profile(product_and_softmax("k1-mini"));
  const auto product = std::ranges::find(told.commands, "gemm", &CommandProfile::command);
  ASSERT_NE(product, told.commands.end());
  EXPECT_EQ(product->engine, "matrix");
  EXPECT_EQ(product->op, "MatMul");
  uint64_t last = 0;
  for (const CommandProfile& row : told.commands) {
    EXPECT_GE(row.cycles, row.alone);
    EXPECT_GT(row.alone, 0u);
    last = std::max(last, row.start + row.cycles);
  }
  EXPECT_EQ(last, told.cycles);
}

TEST(Profile, CommandsOfOneEngineFollowOneAnotherAndFillItsBusyTime) {
  const Profile told = profile(product_and_softmax("k1-mini"));
  for (const EngineProfile& engine : told.engines) {
    uint64_t busy = 0, end = 0;
    for (const CommandProfile& row : told.commands) {
      if (row.engine != engine.engine) continue;
      EXPECT_GE(row.start, end);
      end = row.start + row.cycles;
      busy += row.cycles;
    }
    EXPECT_NEAR(static_cast<double>(busy), static_cast<double>(engine.busy), static_cast<double>(told.commands.size()));
  }
}

TEST(Profile, RefusesWhatTheChipWouldRefuse) {
  const Program program = product_and_softmax("k1-mini");
  const auto code_of = [&](const std::function<void(ProgramContents&)>& change) {
    try {
      profile(changed(program, change));
    } catch (const Error& error) {
      return error.code();
    }
    return Code::internal;
  };
  EXPECT_EQ(code_of([](ProgramContents& contents) { contents.target = "k9"; }), Code::version_mismatch);
  EXPECT_EQ(code_of([](ProgramContents& contents) { contents.isa_version = 2; }), Code::version_mismatch);
  EXPECT_EQ(code_of([](ProgramContents& contents) { contents.commands.resize(contents.commands.size() - 16); }), Code::invalid_program);
  for (size_t at = 0; at < 64; ++at)
    code_of([&](ProgramContents& contents) { contents.commands[at] ^= std::byte{0xff}; });  // whatever it says, it comes back
}

}  // namespace
}  // namespace kawara::test
