// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "compiler/compile_text.h"

namespace kawara::test {
namespace {

using ::testing::IsEmpty;

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

}  // namespace
}  // namespace kawara::test
