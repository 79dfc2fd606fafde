// SPDX-License-Identifier: Apache-2.0
// Reductions: small graphs through the whole compiler and the reference executor, beside plain loops.
#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "compiler/compile_text.h"

namespace kawara::test {
namespace {

TEST(Lowering, ReductionsDropOrKeepDimensionsAndTakeWhatFollows) {
  const Array x = numbers({3, 4, 5}, 1);
  const std::string text = R"(graph "g" opset 13 (%x: f32[3,4,5]) {
    %m = ReduceMean(%x) { axes = [0, -1], keepdims = 0 }
    %y = Relu(%m)
    return %y
  })";
  EXPECT_EQ(outline(compile_text(text)), "IN Input\nVE ReduceMean+Relu\nOUT Output\n");
  Array want{{4}, std::vector<float>(4)};
  for_each_point(x.shape, [&](const Index& i) { want.at({i[1]}) += x.at(i) / 15; });
  for (float& value : want.values) value = std::max(value, 0.0f);
  expect_near(run(text, {x}), want);

  Array greatest{{1, 1, 1}, {-1e30f}};
  for (const float value : x.values) greatest.values[0] = std::max(greatest.values[0], value);
  expect_near(run("graph \"g\" opset 13 (%x: f32[3,4,5]) {\n %y = ReduceMax(%x)\n return %y\n}", {x}), greatest);
}

TEST(Lowering, EveryReductionMeansWhatItsNameSays) {
  const Array x = numbers({2, 6}, 1);
  const std::pair<std::string, std::function<float(float, float)>> steps[] = {
      {"ReduceSum", [](float a, float b) { return a + b; }},          {"ReduceProd", [](float a, float b) { return a * b; }},
      {"ReduceMax", [](float a, float b) { return std::max(a, b); }}, {"ReduceMin", [](float a, float b) { return std::min(a, b); }},
      {"ReduceL1", [](float a, float b) { return a + std::abs(b); }}, {"ReduceSumSquare", [](float a, float b) { return a + b * b; }},
      {"ReduceL2", [](float a, float b) { return a + b * b; }}};
  for (const auto& [op, step] : steps) {
    SCOPED_TRACE(op);
    Array want{{2, 1}, {0, 0}};
    for (int64_t row = 0; row < 2; ++row) {
      const bool starts_at_first = op == "ReduceMax" || op == "ReduceMin" || op == "ReduceProd";
      float value = starts_at_first ? x.at({row, 0}) : step(0, x.at({row, 0}));
      for (int64_t i = 1; i < 6; ++i) value = step(value, x.at({row, i}));
      want.at({row, 0}) = op == "ReduceL2" ? std::sqrt(value) : value;
    }
    // The axes are an attribute, or an input since version 13 of ReduceSum and 18 of the others.
    expect_near(run("graph \"g\" opset 11 (%x: f32[2,6]) {\n %y = " + op + "(%x) { axes = [1] }\n return %y\n}", {x}), want);
    expect_near(run("graph \"g\" opset 18 (%x: f32[2,6]) {\n %a = i64[1] dense<-1>\n %y = " + op + "(%x, %a)\n return %y\n}", {x}), want);
  }
}

}  // namespace
}  // namespace kawara::test
