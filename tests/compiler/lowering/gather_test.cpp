// SPDX-License-Identifier: Apache-2.0
// Gather and GatherND: small graphs through the whole compiler and the reference executor, beside plain loops.
#include <gmock/gmock.h>

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
