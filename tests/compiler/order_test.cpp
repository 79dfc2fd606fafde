// SPDX-License-Identifier: Apache-2.0
// Orders and the plans that come of them, over small models lowered as they are.
#include "order.h"

#include <gmock/gmock.h>

#include <numeric>

#include "compiler/compile_text.h"
#include "compiler/model_texts.h"
#include "lowering.h"
#include "passes/passes.h"
#include "plan.h"

namespace kawara::test {
namespace {

compiler::Commands lowered(const std::string& text) {
  compiler::Graph graph = specialised(text);
  compiler::run_passes(graph);
  return compiler::Lowering(graph).run();
}

std::vector<uint32_t> given(const compiler::Commands& commands) {
  std::vector<uint32_t> order(commands.commands.size());
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

TEST(Order, EveryCandidateKeepsWhatMustStandBefore) {
  for (const std::string& text : model_texts()) {
    const compiler::Commands commands = lowered(text);
    const auto before = compiler::predecessors(commands);
    const auto orders = compiler::candidate_orders(commands, compiler::prices(commands, compiler::find_target("k1")));
    EXPECT_EQ(orders[0].commands, given(commands));
    for (const auto& [order, held] : orders) {
      std::vector<size_t> position(order.size(), ~size_t{0});
      for (size_t i = 0; i < order.size(); ++i) position[order[i]] = i;
      for (size_t i = 0; i < held.size(); ++i) EXPECT_TRUE(i <= held[i] && held[i] < order.size());
      EXPECT_EQ(std::ranges::count(position, ~size_t{0}), 0) << "a command stands twice";
      for (size_t i = 0; i < order.size(); ++i)
        for (const uint32_t other : before[i]) EXPECT_LT(position[other], position[i]) << text;
    }
  }
}

TEST(Order, PredecessorsAreThoseThatMeetInABuffer) {
  compiler::Commands model;
  model.buffers.resize(1);
  const auto access = [&](int64_t begin, int64_t end, bool write) {
    compiler::Command command;
    command.accesses.push_back({.buffer = 0, .begin = begin, .end = end, .write = write});
    model.commands.push_back(command);
  };
  access(0, 8, true);    // 0
  access(8, 16, true);   // 1: beside it
  access(4, 12, false);  // 2: reads of both
  access(0, 8, false);   // 3: reads the first
  access(0, 8, true);    // 4: over the first, behind its readers
  access(0, 4, false);   // 5: sees the new one alone
  EXPECT_THAT(compiler::predecessors(model),
              testing::ElementsAre(std::vector<uint32_t>{}, std::vector<uint32_t>{}, std::vector<uint32_t>{0, 1}, std::vector<uint32_t>{0},
                                   std::vector<uint32_t>{0, 2, 3}, std::vector<uint32_t>{4}));
}

TEST(Plan, IsNeverSlowerThanTheOrderOfTheGraph) {
  for (const char* target : {"k1", "k1-mini"})
    for (const std::string& text : model_texts()) {
      const compiler::Commands commands = lowered(text);
      const kawara_config& config = compiler::find_target(target);
      const compiler::Plan plan = compiler::make_plan(commands, config), plain = compiler::plan_order(commands, given(commands), config);
      EXPECT_LE(plan.cycles, plain.cycles) << text;
      const auto held = [&](const compiler::Plan& of) {
        return of.allocation.arena_bytes + of.allocation.weights_bytes + config.sram_kib * 1024;
      };
      EXPECT_LE(plan.cycles * held(plan), plain.cycles * held(plain)) << text;
    }
}

// One branch behind the other, each engine would wait for the other one most of the time.
TEST(Plan, InterleavesBranchesThatNeedEachOthersEngines) {
  std::string text = "graph \"g\" opset 13 (%x: f32[512,512]) {\n";
  for (const std::string branch : {"a", "b"}) {
    std::string value = "%x";
    for (int i = 0; i < 6; ++i) {
      text += fmt::format(" %{0}p{1} = MatMul({2}, %x)\n %{0}s{1} = Softmax(%{0}p{1})\n", branch, i, value);
      value = fmt::format("%{}s{}", branch, i);
    }
  }
  text += " %y = MatMul(%as5, %bs5)\n return %y\n}";
  const compiler::Commands commands = lowered(text);
  const kawara_config& target = compiler::find_target("k1");
  const uint64_t plain = compiler::plan_order(commands, given(commands), target).cycles;
  EXPECT_LT(compiler::make_plan(commands, target).cycles, plain * 85 / 100);
}

}  // namespace
}  // namespace kawara::test
