// SPDX-License-Identifier: Apache-2.0
// Products: small graphs through the whole compiler and the reference executor, beside plain loops.
#include <gmock/gmock.h>

#include "compiler/compile_text.h"

namespace kawara::test {
namespace {

TEST(Lowering, AProductBroadcastsItsBatchAndTakesASum) {
  const std::string text = R"(graph "g" opset 13 (%a: f32[3,1,4,5], %b: f32[2,5,6], %c: f32[6]) {
    %p = MatMul(%a, %b)
    %y = Add(%p, %c)
    return %y
  })";
  EXPECT_EQ(outline(compile_text(text)), "IN Input\nIN Input\nIN Input\nME MatMul+Add\nOUT Output\n");
  const Array a = numbers({3, 1, 4, 5}, 1), b = numbers({2, 5, 6}, 2), c = numbers({6}, 3);
  Array want{{3, 2, 4, 6}, std::vector<float>(144)};
  for_each_point(want.shape, [&](const Index& o) {
    float sum = c.at({o[3]});
    for (int64_t k = 0; k < 5; ++k) sum += a.at({o[0], 0, o[2], k}) * b.at({o[1], k, o[3]});
    want.at(o) = sum;
  });
  expect_near(run(text, {a, b, c}), want);
}

TEST(Lowering, VectorsMultiplyAsRowAndColumn) {
  const Array a = numbers({5}, 1), b = numbers({2, 5, 3}, 2), c = numbers({3}, 3);
  const Array got = run(R"(graph "g" opset 13 (%a: f32[5], %b: f32[2,5,3], %c: f32[3]) {
    %p = MatMul(%a, %b)
    %y = MatMul(%p, %c)
    return %y
  })",
                        {a, b, c});
  Array want{{2}, std::vector<float>(2)};
  for_each_point({2, 3, 5}, [&](const Index& o) { want.at({o[0]}) += a.at({o[2]}) * b.at({o[0], o[2], o[1]}) * c.at({o[1]}); });
  expect_near(got, want);
}

TEST(Lowering, GemmTurnsAndScalesItsMatrices) {
  const Array a = numbers({5, 4}, 1), b = numbers({3, 5}, 2), c = numbers({4, 1}, 3);
  const Array got = run(R"(graph "g" opset 13 (%a: f32[5,4], %b: f32[3,5], %c: f32[4,1]) {
    %y = Gemm(%a, %b, %c) { alpha = 0.5, beta = 2.0, transA = 1, transB = 1 }
    return %y
  })",
                        {a, b, c});
  Array want{{4, 3}, std::vector<float>(12)};
  for_each_point(want.shape, [&](const Index& o) {
    float sum = 0;
    for (int64_t k = 0; k < 5; ++k) sum += a.at({k, o[0]}) * b.at({o[1], k});
    want.at(o) = 0.5f * sum + 2 * c.at({o[0], 0});
  });
  expect_near(got, want);
}

TEST(Lowering, AProductOverNothingIsZero) {
  const Array got =
      run("graph \"g\" opset 13 (%a: f32[2,0], %b: f32[0,3]) {\n %y = MatMul(%a, %b)\n return %y\n}", {{{2, 0}, {}}, {{0, 3}, {}}});
  EXPECT_THAT(got.values, testing::Each(0.0f));
}

}  // namespace
}  // namespace kawara::test
