// SPDX-License-Identifier: Apache-2.0
#include "graph_text.h"

#include <limits>

#include <gmock/gmock.h>

#include "kawara/error.h"

namespace kawara::compiler {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string complaint(std::string_view text) {
  try {
    parse_graph(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return error.what();
  }
  return "";
}

// Everything that the grammar has, in the form in which it is printed.
constexpr const char* kEverything = R"(graph "all \"of\" it" opset 13 (%x: f32[n,3,?], %"odd name:0": i64, %c: boolean[]) {
  metadata "author" = "a\nb"
  %k = f32[2,2] dense<1.0, -0.5, 1e-10, inf>
  %a: f32[n,3,?], _ = Split(%x, _, %k) {axis = -1, beta = 2.0, empty = ints[], mode = "x\\y", none = floats[], pads = [1, 2], ratios = [0.5, 2.0], texts = ["a", "b"], value = f16[2] hex"003c00c0"} as "split" id 7
  %b = com.microsoft::Gelu@1(%a)
  %s = i64[100] splat<-7>
  %e = Relu@6(%s)
  %z: f32[4] = group(%b, %e) {
    %y: f32[4] = Add(%b, %e) as "plus"
    %z: f32[4] = Relu(%y)
  } as "plus" id 9
  return %z, %"odd name:0"
}
)";

TEST(GraphText, PrintedTextParsesToTheSameText) { EXPECT_EQ(print(parse_graph(kEverything)), kEverything); }

TEST(GraphText, ParsedPartsAreTheGraphs) {
  const Graph graph = parse_graph(kEverything);
  EXPECT_EQ(graph.name, "all \"of\" it");
  EXPECT_THAT(graph.metadata, ElementsAre(std::pair("author", "a\nb")));
  EXPECT_EQ(graph.values[graph.inputs[0]].shape, (Shape{-1, 3, -1}));
  EXPECT_THAT(graph.values[graph.inputs[0]].dimension_names, ElementsAre("n", "", ""));
  EXPECT_EQ(graph.values[graph.inputs[1]].shape, std::nullopt);
  const Node& split = graph.nodes[0];
  EXPECT_EQ(split.name, "split");
  EXPECT_EQ(split.opset, 13);
  EXPECT_EQ(split.debug_id, 7u);
  EXPECT_EQ(split.inputs[1], kAbsent);
  EXPECT_EQ(std::get<int64_t>(split.attributes.at("axis")), -1);
  EXPECT_EQ(std::get<float>(split.attributes.at("beta")), 2.0f);
  EXPECT_EQ(std::get<std::string>(split.attributes.at("mode")), "x\\y");
  EXPECT_THAT(std::get<std::vector<float>>(split.attributes.at("ratios")), ElementsAre(0.5f, 2.0f));
  EXPECT_THAT(graph.values[split.inputs[2]].constant->as<float>(), ElementsAre(1, -0.5f, 1e-10f, std::numeric_limits<float>::infinity()));
  EXPECT_EQ(graph.nodes[1].domain, "com.microsoft");
  EXPECT_EQ(graph.nodes[2].opset, 6);
  EXPECT_EQ(graph.nodes[3].op, "Group");
  EXPECT_EQ(graph.nodes[3].outputs, graph.nodes[3].body[1].outputs);
  EXPECT_EQ(graph.nodes[3].debug_id, 9u);
}

TEST(GraphText, ValuesOfOneNameAreToldApart) {
  Graph graph = parse_graph("graph \"g\" (%x: f32[2]) { %y = Relu(%x) return %y }");
  graph.values[1].name = "x";
  EXPECT_THAT(print(graph), HasSubstr("%x.1 = Relu(%x)"));
}

TEST(GraphText, ALargeConstantParsesToRepeatableNumbers) {
  const char* text = "graph \"g\" () { %c = f32[1000] random<1> return %c }";
  const Graph graph = parse_graph(text);
  const auto numbers = graph.values[0].constant->as<float>();
  EXPECT_THAT(numbers, testing::Each(testing::AllOf(testing::Ge(-1.0f), testing::Lt(1.0f))));
  EXPECT_NE(numbers[0], numbers[1]);
  EXPECT_EQ(print(graph), print(parse_graph(text)));
  EXPECT_EQ(parse_graph(print(graph)).values[0].shape, (Shape{1000}));
}

TEST(GraphText, ANanKeepsItsBits) {
  const char* text = "graph \"g\" () { %c = f32[1] hex\"0100c07f\" return %c }";
  EXPECT_THAT(print(parse_graph(text)), HasSubstr("hex\"0100c07f\""));
}

TEST(GraphText, ErrorsNameTheLineAndTheRule) {
  EXPECT_THAT(complaint("graph \"g\" (%x) {\n %y = Relu(%z)\n return %y }"), HasSubstr("line 2: '%z' is not defined"));
  EXPECT_THAT(complaint("graph \"g\" (%x) { %x = Relu(%x) return %x }"), HasSubstr("'%x' is defined twice"));
  EXPECT_THAT(complaint("graph \"g\" (%x) { %y = Relu(%y) return %y }"), HasSubstr("'%y' is not defined"));
  EXPECT_THAT(complaint("graph \"g\" (%x: f99[2]) { return %x }"), HasSubstr("'f99' is no type"));
  EXPECT_THAT(complaint("graph \"g\" () { %c = f32[3] dense<1, 2> return %c }"), HasSubstr("2 numbers for 3 elements"));
  EXPECT_THAT(complaint("graph \"g\" () { %c = i32[1] dense<1.5> return %c }"), HasSubstr("'1.5' is no i32 element"));
  EXPECT_THAT(complaint("graph \"g\" () { %c = f32[99999999999] splat<1> return %c }"), HasSubstr("more than 2^28"));
  EXPECT_THAT(complaint("graph \"g\" (%x) { return %x"), HasSubstr("found the end"));
  EXPECT_THAT(complaint("graph \"g"), HasSubstr("has no end"));
  EXPECT_THAT(complaint("graph \"g\" (%x) { %y = group(%x) { %z = Relu(%x) } return %x }"), HasSubstr("doesn't define its output '%y'"));
}

TEST(GraphText, EveryPrefixOfATextIsRefusedWithoutHarm) {
  const std::string text = kEverything;
  for (size_t size = 1; size + 2 < text.size(); ++size) EXPECT_NE(complaint(text.substr(0, size)), "") << size;
}

}  // namespace

}  // namespace kawara::compiler
