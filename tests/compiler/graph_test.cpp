// SPDX-License-Identifier: Apache-2.0
#include "graph.h"

#include <gmock/gmock.h>

#include "graph_text.h"
#include "kawara/error.h"

namespace kawara::compiler {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string complaint(const Graph& graph) {
  try {
    graph.verify();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::internal);
    return error.what();
  }
  return "";
}

Graph two_relus() { return parse_graph("graph \"g\" (%x: f32[2]) { %y = Relu(%x) %z = Relu(%y) return %z }"); }

TEST(Graph, ElementsAreCountedUpTo2To40) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({3, 4}), 12);
  EXPECT_EQ(element_count({int64_t{1} << 20, int64_t{1} << 20}), int64_t{1} << 40);
  EXPECT_EQ(element_count({0, 5}), 0);
  EXPECT_THROW(element_count({int64_t{1} << 21, int64_t{1} << 20}), Error);
  EXPECT_THROW(element_count({INT64_MAX, INT64_MAX}), Error);
  EXPECT_THROW(element_count({0, INT64_MAX}), Error);
  EXPECT_THROW(element_count({2, -1}), Error);
}

TEST(Graph, ConsumersAndOutputsAreFound) {
  const Graph graph = two_relus();
  EXPECT_THAT(graph.consumers(graph.inputs[0]), ElementsAre(0));
  EXPECT_THAT(graph.consumers(graph.outputs[0]), ElementsAre());
  EXPECT_TRUE(graph.is_output(graph.outputs[0]));
  EXPECT_FALSE(graph.is_output(graph.inputs[0]));
}

TEST(Graph, ASortedGraphIsValid) { EXPECT_EQ(complaint(two_relus()), ""); }

TEST(Graph, AUseBeforeTheDefinitionIsNamed) {
  Graph graph = two_relus();
  std::swap(graph.nodes[0], graph.nodes[1]);
  EXPECT_THAT(complaint(graph), HasSubstr("'z' uses value 'y' before it is defined"));
}

TEST(Graph, ASecondProducerIsNamed) {
  Graph graph = two_relus();
  graph.nodes[1].outputs = graph.nodes[0].outputs;
  EXPECT_THAT(complaint(graph), HasSubstr("defines value 'y', which is defined already"));
}

TEST(Graph, AValueThatDoesNotExistIsNamed) {
  Graph graph = two_relus();
  graph.nodes[1].inputs = {99};
  EXPECT_THAT(complaint(graph), HasSubstr("'z' names value 99 of 3"));
}

TEST(Graph, AGroupSeesOnlyItsInputs) {
  const char* text = "graph \"g\" (%x: f32[2], %w: f32[2]) { %z = group(%x) { %y = Relu(%x) %z = Add(%y, %w) } return %z }";
  EXPECT_THAT(complaint(parse_graph(text)), HasSubstr("'z' uses value 'w' before it is defined"));
}

TEST(Graph, ATensorIsAsLongAsItsShape) {
  const float numbers[] = {1, 2};
  EXPECT_THROW(Tensor::copy_of(DType::f32, {3}, std::as_bytes(std::span(numbers))), Error);
  EXPECT_THAT(Tensor::copy_of(DType::f32, {2}, std::as_bytes(std::span(numbers))).as<float>(), ElementsAre(1, 2));
}

}  // namespace

}  // namespace kawara::compiler
