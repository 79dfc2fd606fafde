// SPDX-License-Identifier: Apache-2.0
// Elementwise operators and their groups: small graphs through the whole compiler and the reference executor, beside plain loops.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "compiler/compile_text.h"

namespace kawara::test {
namespace {

using ::testing::IsEmpty;

// The published bounds of the sequences are a few units in the last place.
TEST(Lowering, ErfTanhAndLogFollowTheLibrarysFunctions) {
  const Array x = numbers({200}, 4);
  const std::pair<std::string, double (*)(double)> functions[] = {{"Erf", std::erf}, {"Tanh", std::tanh}, {"Log", std::log}};
  for (const auto& [op, function] : functions) {
    SCOPED_TRACE(op);
    Array argument = x;
    if (op == "Log")
      for (float& value : argument.values) value = std::abs(value) + 0.01f;
    const Array got = run("graph \"g\" opset 13 (%x: f32[200]) {\n %y = " + op + "(%x)\n return %y\n}", {argument});
    for (size_t i = 0; i < argument.values.size(); ++i) {
      const double want = function(argument.values[i]);
      EXPECT_LE(std::abs(got.values[i] - want), 4 * 1.2e-7 * std::abs(want)) << op << " of " << argument.values[i];
    }
  }
}

TEST(Lowering, IsNaNFindsWhatIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const Array got = run(R"(graph "g" opset 13 (%x: f32[5]) {
    %n = IsNaN(%x)
    %seven = f32[] dense<7>
    %y = Where(%n, %seven, %x)
    return %y
  })",
                        {{{5}, {1, nan, infinity, -nan, -2}}});
  EXPECT_THAT(got.values, testing::ElementsAre(1, 7, infinity, 7, -2));
}

// Each of nine inputs is one stream, and a section has eight: the group becomes two commands.
TEST(Lowering, AGroupThatBreaksALimitIsSplit) {
  std::string text = "graph \"g\" opset 13 (%x0: f32[4]";
  for (int i = 1; i < 9; ++i) text += fmt::format(", %x{}: f32[4]", i);
  text += ") {\n";
  for (int i = 1; i < 9; ++i) text += fmt::format(" %s{} = Add({}, %x{})\n", i, i == 1 ? "%x0" : fmt::format("%s{}", i - 1), i);
  text += " return %s8\n}";
  compiler::Graph graph = compiler::parse_graph(text);
  compiler::specialise(graph, {});
  compiler::Node group;
  group.op = "Group";
  group.domain = "kawara";
  group.name = graph.nodes[0].name;
  group.inputs = graph.inputs;
  group.outputs = graph.outputs;
  group.body = graph.nodes;
  graph.nodes = {group};
  const Program program = compiler::build(std::move(graph), compiler::find_target("k1"));
  EXPECT_THAT(races(program), IsEmpty());
  EXPECT_THAT(outline(program), testing::ContainsRegex("VE Add.Add.Add.Add\n(IN Input\n)*VE Add.Add.Add.Add\n"));
  std::vector<std::vector<float>> inputs;
  for (int i = 0; i < 9; ++i) inputs.push_back({1.0f * static_cast<float>(i), 2, 3, 4});
  EXPECT_THAT(run_floats(program, inputs), testing::ElementsAre(36, 18, 27, 36));
}

}  // namespace
}  // namespace kawara::test
