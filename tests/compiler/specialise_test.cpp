// SPDX-License-Identifier: Apache-2.0
#include "specialise.h"

#include <gmock/gmock.h>

#include "graph_text.h"
#include "kawara/error.h"

namespace kawara::compiler {

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTwoInputs = "graph \"g\" (%x: f32[n,3], %y: f32[n,?]) { %z = Relu(%x) return %z }";

std::pair<Code, std::string> complaint(const char* text, const InputShapes& shapes) {
  Graph graph = parse_graph(text);
  try {
    specialise(graph, shapes);
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {Code::internal, "no complaint"};
}

TEST(Specialise, GivenShapesBecomeTheInputs) {
  Graph graph = parse_graph(kTwoInputs);
  specialise(graph, {{"x", {2, 3}}, {"y", {2, 5}}});
  EXPECT_EQ(graph.values[graph.inputs[1]].shape, (Shape{2, 5}));
  EXPECT_EQ(graph.values[graph.outputs[0]].shape, (Shape{2, 3}));
}

TEST(Specialise, ANamedDimensionIsGivenOnce) {
  Graph graph = parse_graph("graph \"g\" (%x: f32[n,3], %y: f32[n]) { %z = Relu(%x) return %z }");
  specialise(graph, {{"x", {7, 3}}});
  EXPECT_EQ(graph.values[graph.inputs[1]].shape, (Shape{7}));
}

TEST(Specialise, MissingDimensionsAreAllNamed) {
  const auto [code, message] = complaint(kTwoInputs, {});
  EXPECT_EQ(code, Code::shape_required);
  EXPECT_THAT(message, AllOf(HasSubstr("input 'x' f32[n,3]: dimension 0 ('n')"), HasSubstr("input 'y' f32[n,?]: dimension 1")));
}

TEST(Specialise, AMissingRankIsNamed) {
  const auto [code, message] = complaint("graph \"g\" (%x: f32) { %z = Relu(%x) return %z }", {});
  EXPECT_EQ(code, Code::shape_required);
  EXPECT_THAT(message, HasSubstr("input 'x': the model doesn't give the number of dimensions"));
}

TEST(Specialise, ShapesThatAreNotTheModelsAreWrong) {
  EXPECT_THAT(complaint(kTwoInputs, {{"x", {2, 4}}}).second, HasSubstr("input 'x' is f32[n,3]; dimension 1 can't be 4"));
  EXPECT_THAT(complaint(kTwoInputs, {{"x", {2}}}).second, HasSubstr("2 dimensions; got 1"));
  EXPECT_THAT(complaint(kTwoInputs, {{"x", {-2, 3}}}).second, HasSubstr("dimension 0 can't be -2"));
  EXPECT_THAT(complaint(kTwoInputs, {{"x", {2, 3}}, {"y", {4, 1}}}).second,
              HasSubstr("dimension 'n' is 2 already; input 'y' can't make it 4"));
  EXPECT_THAT(complaint(kTwoInputs, {{"w", {2}}}).second, HasSubstr("the model has no input 'w'; it has 'x', 'y'"));
  EXPECT_EQ(complaint(kTwoInputs, {{"w", {2}}}).first, Code::wrong_input);
}

TEST(Specialise, AnAbsurdShapeIsRefused) {
  EXPECT_EQ(complaint(kTwoInputs, {{"x", {INT64_MAX, 3}}, {"y", {INT64_MAX, 1}}}).first, Code::invalid_model);
}

TEST(Specialise, EveryRefusedNodeStandsInOneError) {
  const auto [code, message] = complaint(
      "graph \"g\" (%x: f32[2], %i: i32[2]) { %a = Nonsense(%x) as \"first\" %b = Relu(%a) as \"behind\" %c = Sqrt(%i) as \"second\" "
      "return %b, %c }",
      {});
  EXPECT_EQ(code, Code::unsupported);
  EXPECT_THAT(message, AllOf(HasSubstr("2 of the model's nodes"), HasSubstr("Nonsense 'first': Kawara has no such operator"),
                             HasSubstr("Sqrt 'second': elements must be f32, f16 or bf16, got i32"), Not(HasSubstr("behind"))));
}

TEST(Specialise, TheListOfRefusedNodesFitsAScreen) {
  std::string text = "graph \"g\" (%x: f32[2]) {";
  for (int i = 0; i < 25; ++i) text += fmt::format(" %y{} = Nonsense(%x)", i);
  EXPECT_THAT(complaint((text + " return %x }").c_str(), {}).second,
              AllOf(HasSubstr("25 of the model's nodes"), HasSubstr("'y9'"), Not(HasSubstr("'y10'")), HasSubstr("and 15 more")));
}

TEST(Specialise, NodesWithTooFewInputsOrTooManyOutputsAreRefused) {
  EXPECT_THAT(complaint("graph \"g\" (%x: f32[2]) { %y = Add(%x) return %y }", {}).second, HasSubstr("1 inputs, but the operator takes 2"));
  EXPECT_THAT(complaint("graph \"g\" (%x: f32[2]) { %y = Sum(%x, _, %x) return %y }", {}).second, HasSubstr("input 1 must be given"));
  EXPECT_THAT(complaint("graph \"g\" (%x: f32[2]) { %y, %z = Relu(%x) return %z }", {}).second,
              HasSubstr("more outputs than Kawara knows of"));
  EXPECT_THAT(complaint("graph \"g\" (%x: f32[2]) { _, %z = Relu(%x) return %x }", {}).second, HasSubstr("first output must have a name"));
  EXPECT_THAT(complaint("graph \"g\" () { %k = f32[2] dense<1, 2> %y, %z = Neg(%k) return %z }", {}).second, HasSubstr("more outputs"));
}

TEST(Specialise, AnInputThatTheOperatorDoesNotHaveIsRefused) {
  const auto [code, message] = complaint("graph \"g\" (%x: f32[6], %w: f32[4]) { %y = Abs(%x, %w) return %y }", {});
  EXPECT_EQ(code, Code::unsupported);
  EXPECT_THAT(message, HasSubstr("input 1 can't be broadcast"));
}

TEST(Specialise, TheImportedGraphCanBeSpecialisedAgain) {
  const Graph imported = parse_graph("graph \"g\" (%x: f32[n]) { %s = Shape(%x) %y = Reshape(%x, %s) return %y }");
  for (int64_t n : {2, 3}) {
    Graph graph = imported;
    specialise(graph, {{"x", {n}}});
    EXPECT_EQ(graph.values[graph.outputs[0]].shape, (Shape{n}));
  }
}

TEST(Specialise, AnAttributeOfAnotherTypeIsNamed) {
  const auto [code, message] = complaint("graph \"g\" (%x: f32[2]) { %y = LeakyRelu(%x) {alpha = 1} return %y }", {});
  EXPECT_EQ(code, Code::invalid_model);
  EXPECT_THAT(message, HasSubstr("LeakyRelu 'y': attribute 'alpha' has another type than ONNX gives it"));
}

}  // namespace

}  // namespace kawara::compiler
