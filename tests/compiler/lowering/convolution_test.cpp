// SPDX-License-Identifier: Apache-2.0
// Convolutions: small graphs through the whole compiler and the reference executor, beside plain loops.
#include <gmock/gmock.h>

#include "compiler/compile_text.h"

namespace kawara::test {
namespace {

float hard_swish(float x) { return x * std::max(0.0f, std::min(1.0f, x / 6.0f + 0.5f)); }

TEST(Lowering, AConvolutionWithBiasAndActivationIsOneCommand) {
  const std::string text = R"(graph "g" opset 14 (%x: f32[2,4,9,8], %w: f32[6,2,3,2], %b: f32[6]) {
    %c = Conv(%x, %w, %b) { group = 2, strides = [2, 1], pads = [1, 0, 2, 1], dilations = [1, 2] }
    %y = HardSwish(%c)
    return %y
  })";
  EXPECT_EQ(outline(compile_text(text)), "IN Input\nIN Input\nIN Input\nME Conv+HardSwish\nOUT Output\n");
  const Array x = numbers({2, 4, 9, 8}, 1), w = numbers({6, 2, 3, 2}, 2), b = numbers({6}, 3);
  Array want{{2, 6, 5, 7}, std::vector<float>(2 * 6 * 5 * 7)};
  for_each_point(want.shape, [&](const Index& o) {
    double sum = b.at({o[1]});
    for (int64_t c = 0; c < 2; ++c)
      for (int64_t ky = 0; ky < 3; ++ky)
        for (int64_t kx = 0; kx < 2; ++kx) {
          const int64_t y = o[2] * 2 + ky - 1, xx = o[3] + kx * 2;
          if (y >= 0 && y < 9 && xx < 8) sum += x.at({o[0], o[1] / 3 * 2 + c, y, xx}) * w.at({o[1], c, ky, kx});
        }
    want.at(o) = hard_swish(static_cast<float>(sum));
  });
  expect_near(run(text, {x, w, b}), want);
}

TEST(Lowering, ATransposedConvolutionWithGroupsBiasAndActivationIsOneCommand) {
  const std::string text = R"(graph "g" opset 14 (%x: f32[2,4,5,4], %w: f32[4,3,3,2], %b: f32[6]) {
    %c = ConvTranspose(%x, %w, %b) { group = 2, strides = [2, 3], pads = [1, 0, 0, 1], dilations = [1, 2], output_padding = [1, 0] }
    %y = HardSwish(%c)
    return %y
  })";
  EXPECT_EQ(outline(compile_text(text)), "IN Input\nIN Input\nIN Input\nME ConvTranspose+HardSwish\nOUT Output\n");
  const Array x = numbers({2, 4, 5, 4}, 1), w = numbers({4, 3, 3, 2}, 2), b = numbers({6}, 3);
  Array want{{2, 6, 11, 11}, std::vector<float>(2 * 6 * 11 * 11)};
  std::vector<double> sums(want.values.size());
  for_each_point(want.shape, [&](const Index& o) { sums[want.position(o)] = b.at({o[1]}); });
  // As ONNX defines it: each input spreads over the outputs under its kernel.
  for_each_point(x.shape, [&](const Index& i) {
    for (int64_t c = 0; c < 3; ++c)
      for (int64_t ky = 0; ky < 3; ++ky)
        for (int64_t kx = 0; kx < 2; ++kx) {
          const int64_t y = i[2] * 2 + ky - 1, xx = i[3] * 3 + kx * 2;
          if (y >= 0 && y < 11 && xx < 11) sums[want.position({i[0], i[1] / 2 * 3 + c, y, xx})] += x.at(i) * w.at({i[1], c, ky, kx});
        }
  });
  for (size_t i = 0; i < sums.size(); ++i) want.values[i] = hard_swish(static_cast<float>(sums[i]));
  expect_near(run(text, {x, w, b}), want);
}

TEST(Lowering, AConvolutionInOneDimensionWithSamePadding) {
  const Array x = numbers({1, 3, 10}, 1), w = numbers({3, 1, 4}, 2);
  const Array got = run(R"(graph "g" opset 14 (%x: f32[1,3,10], %w: f32[3,1,4]) {
    %y = Conv(%x, %w) { group = 3, auto_pad = "SAME_UPPER" }
    return %y
  })",
                        {x, w});
  Array want{{1, 3, 10}, std::vector<float>(30)};
  for_each_point(want.shape, [&](const Index& o) {
    for (int64_t k = 0; k < 4; ++k)
      if (const int64_t at = o[2] + k - 1; at >= 0 && at < 10) want.at(o) += x.at({0, o[1], at}) * w.at({o[1], 0, k});
  });
  expect_near(got, want);
}

}  // namespace
}  // namespace kawara::test
