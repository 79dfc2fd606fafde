// SPDX-License-Identifier: Apache-2.0
// Pools: small graphs through the whole compiler and the reference executor, beside plain loops.
#include <gmock/gmock.h>

#include "compiler/compile_text.h"

namespace kawara::test {
namespace {

// In both dimensions the last window reaches over the input, and in the first over its pads too.
TEST(Lowering, PoolsSeeWhatLiesInside) {
  const Array x = numbers({2, 3, 8, 7}, 1);
  const std::string attributes = "kernel_shape = [3, 2], strides = [2, 2], pads = [1, 0, 1, 0], ceil_mode = 1";
  for (const std::string op : {"MaxPool", "AveragePool", "Counted"}) {
    const std::string name = op == "Counted" ? "AveragePool" : op, more = op == "Counted" ? ", count_include_pad = 1" : "";
    const Array got =
        run("graph \"g\" opset 13 (%x: f32[2,3,8,7]) {\n %y = " + name + "(%x) { " + attributes + more + " }\n return %y\n}", {x});
    Array want{{2, 3, 5, 4}, std::vector<float>(120)};
    for_each_point(want.shape, [&](const Index& o) {
      float greatest = -1e30f, sum = 0, inside = 0, padded = 0;
      for (int64_t ky = 0; ky < 3; ++ky)
        for (int64_t kx = 0; kx < 2; ++kx) {
          const int64_t y = o[2] * 2 + ky - 1, xx = o[3] * 2 + kx;
          padded += y < 9 && xx < 7;
          if (y < 0 || y >= 8 || xx >= 7) continue;
          const float value = x.at({o[0], o[1], y, xx});
          greatest = std::max(greatest, value);
          sum += value;
          ++inside;
        }
      want.at(o) = op == "MaxPool" ? greatest : sum / (op == "Counted" ? padded : inside);
    });
    SCOPED_TRACE(op);
    expect_near(got, want);
  }
}

TEST(Lowering, GlobalPoolsSweepAllSpatialDimensions) {
  const Array x = numbers({2, 3, 4, 5}, 1);
  Array mean{{2, 3, 1, 1}, std::vector<float>(6)}, greatest{{2, 3, 1, 1}, std::vector<float>(6, -1e30f)};
  for_each_point(x.shape, [&](const Index& i) {
    mean.at({i[0], i[1], 0, 0}) += x.at(i) / 20;
    greatest.at({i[0], i[1], 0, 0}) = std::max(greatest.at({i[0], i[1], 0, 0}), x.at(i));
  });
  const auto text = [](const char* op) {
    return fmt::format("graph \"g\" opset 13 (%x: f32[2,3,4,5]) {{\n %y = {}(%x)\n return %y\n}}", op);
  };
  expect_near(run(text("GlobalAveragePool"), {x}), mean);
  expect_near(run(text("GlobalMaxPool"), {x}), greatest);
}

}  // namespace
}  // namespace kawara::test
