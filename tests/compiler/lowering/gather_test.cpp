// SPDX-License-Identifier: Apache-2.0
// Gather and GatherND: small graphs through the whole compiler and the reference executor, beside plain loops.
#include <gmock/gmock.h>

#include <bit>
#include <cstring>

#include "compiler/compile_text.h"

namespace kawara::test {
namespace {

using ::testing::IsEmpty;

// Indices as bytes beside the floats they choose.
std::vector<float> run_chosen(const std::string& text, const Array& x, std::span<const std::byte> indices) {
  const Program program = compile_text(text);
  EXPECT_THAT(races(program), IsEmpty());
  const auto bytes = std::as_bytes(std::span(x.values));
  const auto output = run_program(program, {{bytes.begin(), bytes.end()}, {indices.begin(), indices.end()}}).at(0);
  std::vector<float> result(output.size() / sizeof(float));
  std::memcpy(result.data(), output.data(), output.size());
  return result;
}

TEST(Lowering, GatherChoosesAlongAnyAxisByIndicesOfTheRun) {
  const Array x = numbers({2, 4, 3}, 1);
  const std::vector<int64_t> wide = {3, -4, 1, -1};
  const std::vector<int32_t> narrow = {3, -4, 1, -1};
  const auto text = [](const char* dtype) {
    return fmt::format(
        "graph \"g\" opset 13 (%x: f32[2,4,3], %i: {}[2,2]) {{\n %g = Gather(%x, %i) {{ axis = -2 }}\n %y = Neg(%g)\n return %y\n}}",
        dtype);
  };
  EXPECT_EQ(outline(compile_text(text("i64"))), "IN Input\nIN Input\nVE Gather+Neg\nOUT Output\n");
  Array want{{2, 2, 2, 3}, std::vector<float>(24)};
  for_each_point(want.shape, [&](const Index& o) { want.at(o) = -x.at({o[0], (wide[o[1] * 2 + o[2]] + 4) % 4, o[3]}); });
  EXPECT_THAT(run_chosen(text("i64"), x, std::as_bytes(std::span(wide))), testing::ElementsAreArray(want.values));
  EXPECT_THAT(run_chosen(text("i32"), x, std::as_bytes(std::span(narrow))), testing::ElementsAreArray(want.values));
}

TEST(Lowering, AnIndexOutsideGathersZero) {
  const std::vector<int64_t> indices = {3, -4, int64_t{1} << 32, -(int64_t{1} << 40), 2};
  const auto got = run_chosen("graph \"g\" opset 13 (%x: f32[3], %i: i64[5]) {\n %y = Gather(%x, %i)\n return %y\n}", {{3}, {5, 6, 7}},
                              std::as_bytes(std::span(indices)));
  EXPECT_THAT(got, testing::ElementsAre(0, 0, 0, 0, 7));
}

// Widened rows, and the bits of what is computed from them.
std::vector<uint32_t> run_table(const std::string& text, std::span<const int8_t> table, std::span<const int64_t> indices) {
  const Program program = compile_text(text);
  EXPECT_THAT(races(program), IsEmpty());
  const auto bytes = std::as_bytes(table), chosen = std::as_bytes(indices);
  const auto output = run_program(program, {{bytes.begin(), bytes.end()}, {chosen.begin(), chosen.end()}}).at(0);
  std::vector<uint32_t> result(output.size() / sizeof(uint32_t));
  std::memcpy(result.data(), output.data(), output.size());
  return result;
}

TEST(Lowering, OnlyTheRowsThatGatherChoosesAreWidened) {
  const std::vector<int8_t> table = {1, -128, 127, 0, 5, -6, 7, 8};
  const std::vector<int64_t> indices = {3, -4, 4, -5, int64_t{1} << 32, 1};
  const std::vector<float> scales = {0.1f, -0.3f, 1e-39f, 3e38f};
  const std::string text = R"(graph "g" opset 13 (%t: i8[4,2], %i: i64[3]) {
  %s = f32[4,1] dense<0.1, -0.3, 1e-39, 3e38>
  %f = Cast(%t) {to = 1}
  %d = Mul(%f, %s)
  %y = Gather(%d, %i)
  return %y
})";
  EXPECT_EQ(outline(compile_text(text)), "IN Input\nVE Gather\nIN Input\nVE Gather+Cast+Mul\nOUT Output\n");
  for (const size_t half : {0, 3}) {
    std::vector<uint32_t> want;
    for (const int64_t index : std::span(indices).subspan(half, 3))
      for (size_t column : {0, 1}) {
        const int64_t row = index < 0 ? index + 4 : index;
        want.push_back(row >= 0 && row < 4 ? std::bit_cast<uint32_t>(static_cast<float>(table[row * 2 + column]) * scales[row]) : 0);
      }
    EXPECT_THAT(run_table(text, table, std::span(indices).subspan(half, 3)), testing::ElementsAreArray(want));
  }
}

TEST(Lowering, AnIndexOutsideGathersZeroAlsoWhereZeroWouldBecomeANumber) {
  const std::vector<int64_t> indices = {3, -4, -5, 2, 4, -(int64_t{1} << 40)};
  for (const char* step : {"%d = Add(%f, %s)", "%d = Mul(%f, %s)", "%d = Sub(%s, %f)"}) {
    const std::string text = fmt::format(R"(graph "g" opset 13 (%t: i8[2,4,2], %i: i64[1,3]) {{
  %s = f32[2,1,1] dense<-0.7, 3.5>
  %f = Cast(%t) {{to = 1}}
  {}
  %y = Gather(%d, %i) {{axis = 1}}
  return %y
}})",
                                         step);
    const std::vector<int8_t> data = {1, -128, 127, 0, 5, -6, 7, 8, 9, 10, 11, 12, 13, 14, 15, -16};
    for (const size_t half : {0, 3}) {
      std::vector<uint32_t> want;
      for (const size_t outer : {0, 1})
        for (const int64_t index : std::span(indices).subspan(half, 3))
          for (const size_t inner : {0, 1}) {
            const int64_t row = index < 0 ? index + 4 : index;
            const float s = outer ? 3.5f : -0.7f, f = row >= 0 && row < 4 ? data[(outer * 4 + row) * 2 + inner] : 0.0f;
            const float d = step[5] == 'A' ? f + s : step[5] == 'M' ? f * s : s - f;
            want.push_back(row >= 0 && row < 4 ? std::bit_cast<uint32_t>(d) : 0);
          }
      EXPECT_THAT(run_table(text, data, std::span(indices).subspan(half, 3)), testing::ElementsAreArray(want)) << step;
    }
  }
}

TEST(Lowering, GatherNDChoosesByRowsOfIndices) {
  const Array x = numbers({3, 4, 5}, 1);
  const std::vector<int64_t> rows = {2, -1, 0, 3, -3, 1};
  const auto got = run_chosen("graph \"g\" opset 13 (%x: f32[3,4,5], %i: i64[3,2]) {\n %y = GatherND(%x, %i)\n return %y\n}", x,
                              std::as_bytes(std::span(rows)));
  Array want{{3, 5}, std::vector<float>(15)};
  for_each_point(want.shape, [&](const Index& o) { want.at(o) = x.at({(rows[o[0] * 2] + 3) % 3, (rows[o[0] * 2 + 1] + 4) % 4, o[1]}); });
  EXPECT_THAT(got, testing::ElementsAreArray(want.values));
}

}  // namespace
}  // namespace kawara::test
