// SPDX-License-Identifier: Apache-2.0
// Softmax and LayerNormalization: small graphs through the whole compiler and the reference executor, beside plain loops.
#include <gmock/gmock.h>

#include <cmath>

#include "compiler/compile_text.h"

namespace kawara::test {
namespace {

Array softmax(const Array& x, int64_t outer, int64_t swept, int64_t inner) {
  Array y = x;
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) {
      const auto at = [&](int64_t s) { return static_cast<size_t>((o * swept + s) * inner + i); };
      double greatest = -1e30, sum = 0;
      for (int64_t s = 0; s < swept; ++s) greatest = std::max<double>(greatest, x.values[at(s)]);
      for (int64_t s = 0; s < swept; ++s) sum += std::exp(x.values[at(s)] - greatest);
      for (int64_t s = 0; s < swept; ++s) y.values[at(s)] = static_cast<float>(std::exp(x.values[at(s)] - greatest) / sum);
    }
  return y;
}

TEST(Lowering, SoftmaxSweepsOneAxisSinceVersion13AndAllThatFollowBefore) {
  const Array x = numbers({3, 4, 5}, 1);
  const auto text = [](int version) {
    return fmt::format("graph \"g\" opset {} (%x: f32[3,4,5]) {{\n %y = Softmax(%x) {{ axis = 1 }}\n return %y\n}}", version);
  };
  EXPECT_EQ(outline(compile_text(text(13))), "IN Input\nVE Softmax\nOUT Output\n");
  expect_near(run(text(13), {x}), softmax(x, 3, 4, 5));
  expect_near(run(text(11), {x}), softmax(x, 3, 20, 1));
}

// Means over `inner` neighbours; scale and bias are of their size.
Array layer_norm(const Array& x, const Array& scale, const Array& bias, size_t inner, double epsilon) {
  Array y = x;
  for (size_t row = 0; row < x.values.size(); row += inner) {
    double mean = 0, variance = 0;
    for (size_t i = 0; i < inner; ++i) mean += x.values[row + i] / static_cast<double>(inner);
    for (size_t i = 0; i < inner; ++i) variance += std::pow(x.values[row + i] - mean, 2) / static_cast<double>(inner);
    for (size_t i = 0; i < inner; ++i)
      y.values[row + i] = static_cast<float>((x.values[row + i] - mean) / std::sqrt(variance + epsilon) * scale.values[i] + bias.values[i]);
  }
  return y;
}

TEST(Lowering, LayerNormalizationIsOneCommandWithWhatFollows) {
  const std::string text = R"(graph "g" opset 17 (%x: f32[3,100], %s: f32[100], %b: f32[100]) {
    %n = LayerNormalization(%x, %s, %b) { epsilon = 0.5 }
    %y = Relu(%n)
    return %y
  })";
  EXPECT_EQ(outline(compile_text(text)), "IN Input\nIN Input\nIN Input\nVE LayerNormalization+Relu\nOUT Output\n");
  const Array x = numbers({3, 100}, 1), scale = numbers({100}, 2), bias = numbers({100}, 3);
  Array want = layer_norm(x, scale, bias, 100, 0.5);
  for (float& value : want.values) value = std::max(value, 0.0f);
  expect_near(run(text, {x, scale, bias}), want);
}

TEST(Lowering, LayerNormalizationSweepsAllThatFollowsItsAxisAndNeedsNoBias) {
  const Array x = numbers({2, 3, 5}, 1), scale = numbers({3, 5}, 2);
  const Array got = run(R"(graph "g" opset 17 (%x: f32[2,3,5], %s: f32[3,5]) {
    %y = LayerNormalization(%x, %s) { axis = 1 }
    return %y
  })",
                        {x, scale});
  expect_near(got, layer_norm(x, scale, {{3, 5}, std::vector<float>(15)}, 15, 1e-5));
}

}  // namespace
}  // namespace kawara::test
