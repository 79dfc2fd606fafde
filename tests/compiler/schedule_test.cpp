// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "compiler/compile_text.h"

namespace kawara::test {
namespace {

using ::testing::IsEmpty;

// Long chains reuse memory; the checker must see the order that this needs, and miss it when the waits are gone.
TEST(Schedule, ReusedMemoryIsOrderedAndTheCheckerWouldNotice) {
  const Program program = compile_text(R"(graph "g" opset 13 (%x: f32[8,8], %w: f32[8,8]) {
    %a = MatMul(%x, %w)
    %b = Softmax(%a)
    %c = MatMul(%b, %w)
    %d = Softmax(%c)
    %e = MatMul(%d, %w)
    %y = Softmax(%e)
    return %y
  })");
  EXPECT_THAT(races(program), IsEmpty());
  EXPECT_EQ(program.regions().back().role, ProgramRegion::Role::sram);
  EXPECT_LT(program.regions().back().size_bytes, 8 * 256u);  // it holds fewer than all eight values
  std::vector<std::byte> commands(program.commands().begin(), program.commands().end());
  for (const uint32_t offset : command_offsets(program)) std::memset(commands.data() + offset + offsetof(kawara_header, wait), 0, 12);
  EXPECT_THAT(races(commands, command_offsets(program)), testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace kawara::test
