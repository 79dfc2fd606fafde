// SPDX-License-Identifier: Apache-2.0
// Inputs, outputs and what a model may not be: small graphs through the whole compiler and the reference executor, beside plain loops.
#include <gmock/gmock.h>

#include <cstring>

#include "compiler/compile_text.h"

namespace kawara::test {
namespace {

using ::testing::IsEmpty;

TEST(Lowering, InputsAndConstantsCanBeOutputs) {
  const Program program = compile_text(R"(graph "g" opset 13 (%x: f32[3], %unused: f32[2]) {
    %c = f32[2] dense<5.0, 6.0>
    return %x, %c
  })");
  const float x[] = {1, 2, 3};
  const auto bytes = std::as_bytes(std::span(x));
  const auto outputs = run_program(program, {{bytes.begin(), bytes.end()}, std::vector<std::byte>(8)});
  const auto values = [&](size_t i) {
    std::vector<float> result(outputs[i].size() / 4);
    std::memcpy(result.data(), outputs[i].data(), outputs[i].size());
    return result;
  };
  EXPECT_THAT(values(0), testing::ElementsAre(1, 2, 3));
  EXPECT_THAT(values(1), testing::ElementsAre(5, 6));
}

TEST(Lowering, TwoOutputsOfOneNameAreRefused) {
  try {
    compile_text("graph \"g\" opset 13 (%x: f32[3]) {\n %y = Relu(%x)\n return %y, %y\n}");
    FAIL() << "both were taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_model);
  }
}

TEST(Lowering, TensorsWithoutElementsNeedNoCommands) {
  const Program program = compile_text(R"(graph "g" opset 13 (%x: f32[0,3], %w: f32[3,2]) {
    %a = Relu(%x)
    %y = MatMul(%a, %w)
    return %y
  })");
  EXPECT_EQ(outline(program), "IN Input\n");
  EXPECT_THAT(run_floats(program, {{}, std::vector<float>(6)}), IsEmpty());
}

TEST(Lowering, AModelTooLargeForTheTargetIsRefused) {
  compiler::Graph graph = compiler::parse_graph("graph \"g\" opset 13 (%x: f32[16384,8192]) {\n %y = Relu(%x)\n return %y\n}");
  compiler::specialise(graph, {});
  try {
    compiler::build(std::move(graph), compiler::find_target("k1-mini"));
    FAIL() << "1 GiB fitted into 256 MiB";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::out_of_memory);
  }
}

}  // namespace
}  // namespace kawara::test
