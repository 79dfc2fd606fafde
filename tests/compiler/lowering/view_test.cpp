// SPDX-License-Identifier: Apache-2.0
// Views and concatenations: small graphs through the whole compiler and the reference executor, beside plain loops.
#include <gmock/gmock.h>

#include <cmath>

#include "compiler/compile_text.h"

namespace kawara::test {
namespace {

TEST(Lowering, AConcatenationsPiecesAreWrittenInPlace) {
  const std::string text = R"(graph "g" opset 13 (%x: f32[2,3], %z: f32[2,4]) {
    %a = Relu(%x)
    %b = Neg(%x)
    %c = Concat(%a, %z, %b, %b) { axis = -1 }
    %y = Abs(%c)
    return %y, %c
  })";
  // The input and the second use of %b are copied; %a and the first %b are where they belong.
  EXPECT_EQ(outline(compile_text(text)), "IN Input\nIN Input\nVE Relu\nVE Neg\nIN Concat\nIN Concat\nOUT Output\nVE Abs\nOUT Output\n");
  const Array x = numbers({2, 3}, 1), z = numbers({2, 4}, 2);
  Array want{{2, 13}, std::vector<float>(26)};
  for_each_point(want.shape, [&](const Index& o) {
    const int64_t i = o[1];
    want.at(o) = std::abs(i < 3 ? std::max(x.at({o[0], i}), 0.0f) : i < 7 ? z.at({o[0], i - 3}) : -x.at({o[0], (i - 7) % 3}));
  });
  expect_near(run(text, {x, z}), want);
}

TEST(Lowering, ATransposeIsAViewAndAReshapeBehindItACopy) {
  const std::string text = R"(graph "g" opset 13 (%x: f32[2,3,4]) {
    %s = i64[2] dense<4, 6>
    %t = Transpose(%x) { perm = [2, 0, 1] }
    %e = Neg(%t)
    %u = Transpose(%e) { perm = [0, 2, 1] }
    %r = Reshape(%u, %s)
    %y = Relu(%r)
    return %y
  })";
  EXPECT_EQ(outline(compile_text(text)), "IN Input\nVE Neg\nIN Reshape\nVE Relu\nOUT Output\n");
  const Array x = numbers({2, 3, 4}, 1);
  Array want{{4, 6}, std::vector<float>(24)};
  for_each_point({4, 3, 2}, [&](const Index& i) { want.at({i[0], i[1] * 2 + i[2]}) = std::max(-x.at({i[2], i[1], i[0]}), 0.0f); });
  expect_near(run(text, {x}), want);
}

TEST(Lowering, ASliceRunsBackwards) {
  const Array x = numbers({3, 8}, 1);
  const Array got = run(R"(graph "g" opset 13 (%x: f32[3,8]) {
    %starts = i64[1] dense<6>
    %ends = i64[1] dense<0>
    %axes = i64[1] dense<1>
    %steps = i64[1] dense<-2>
    %s = Slice(%x, %starts, %ends, %axes, %steps)
    %y = Neg(%s)
    return %y
  })",
                        {x});
  Array want{{3, 3}, std::vector<float>(9)};
  for_each_point(want.shape, [&](const Index& o) { want.at(o) = -x.at({o[0], 6 - 2 * o[1]}); });
  expect_near(got, want);
}

}  // namespace
}  // namespace kawara::test
