// SPDX-License-Identifier: Apache-2.0
// Resize: small graphs through the whole compiler and the reference executor, beside plain loops.
#include <gmock/gmock.h>

#include "compiler/compile_text.h"

namespace kawara::test {
namespace {

TEST(Lowering, AWholeUpsamplingJoinsTheSumBehindItAndNeedsNoTable) {
  const std::string text = R"(graph "g" opset 13 (%x: f32[2,3,4,5], %z: f32[2,3,8,15]) {
    %none = f32[0] dense<>
    %scales = f32[4] dense<1, 1, 2, 3>
    %u = Resize(%x, %none, %scales) { mode = "nearest", coordinate_transformation_mode = "asymmetric", nearest_mode = "floor" }
    %y = Add(%u, %z)
    return %y
  })";
  const Program program = compile_text(text);
  EXPECT_EQ(outline(program), "IN Input\nIN Input\nVE Resize+Add\nOUT Output\n");
  EXPECT_EQ(program.weights().size(), 0u);
  const Array x = numbers({2, 3, 4, 5}, 1), z = numbers({2, 3, 8, 15}, 2);
  Array want{{2, 3, 8, 15}, std::vector<float>(2 * 3 * 8 * 15)};
  for_each_point(want.shape, [&](const Index& o) { want.at(o) = x.at({o[0], o[1], o[2] / 2, o[3] / 3}) + z.at(o); });
  expect_near(run(text, {x, z}), want, 0);
}

TEST(Lowering, ALinearResizeOfThreeDimensionsThatLieBackwardsAndTransposed) {
  const Array x = numbers({4, 3, 5}, 1);
  const Array got = run(R"(graph "g" opset 13 (%x: f32[4,3,5]) {
    %starts = i64[1] dense<-1>
    %ends = i64[1] dense<-9>
    %axes = i64[1] dense<0>
    %steps = i64[1] dense<-1>
    %none = f32[0] dense<>
    %sizes = i64[3] dense<9, 7, 5>
    %n = Neg(%x)
    %s = Slice(%n, %starts, %ends, %axes, %steps)
    %t = Transpose(%s) { perm = [2, 0, 1] }
    %y = Resize(%t, %none, %none, %sizes) { mode = "linear", coordinate_transformation_mode = "align_corners" }
    return %y
  })",
                        {x});
  const auto from = [&](int64_t a, int64_t b, int64_t c) { return -double{x.at({3 - b, c, a})}; };  // [5,4,3]
  Array want{{9, 7, 5}, std::vector<float>(9 * 7 * 5)};
  for_each_point(want.shape, [&](const Index& o) {
    const double a = o[0] * 4.0 / 8, b = o[1] * 3.0 / 6, c = o[2] * 2.0 / 4;
    double sum = 0;
    for (int64_t i = 0; i < 5; ++i)
      for (int64_t j = 0; j < 4; ++j)
        for (int64_t k = 0; k < 3; ++k) {
          const auto tent = [](double distance) { return std::max(1 - std::abs(distance), 0.0); };
          sum += tent(a - static_cast<double>(i)) * tent(b - static_cast<double>(j)) * tent(c - static_cast<double>(k)) * from(i, j, k);
        }
    want.at(o) = static_cast<float>(sum);
  });
  expect_near(got, want);
}

TEST(Lowering, AResizeOfFourDimensionsIsRefused) {
  try {
    compile_text(R"(graph "g" opset 13 (%x: f32[2,2,2,2]) {
      %none = f32[0] dense<>
      %scales = f32[4] dense<2, 2, 2, 2>
      %y = Resize(%x, %none, %scales)
      return %y
    })");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unsupported);
    EXPECT_THAT(error.what(), testing::HasSubstr("Resize 'y': at most 3 dimensions may be resized, got 4"));
  }
}

}  // namespace
}  // namespace kawara::test
