// SPDX-License-Identifier: Apache-2.0
// Products in 16 bits: how constants are rounded, what commands and memory become, and that another chip gets the same.
#include "precision.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>

#include "compiler/compile_text.h"
#include "emulator/narrow.h"
#include "kawara/compiler.h"
#include "kawara/error.h"
#include "passes/passes.h"

namespace kawara::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The compiler's own steps with a precision between them, as compile() takes them.
Program compiled(const std::string& text, DType precision, std::string_view target = "k1") {
  compiler::Graph graph = specialised(text);
  compiler::run_portable_passes(graph);
  compiler::narrow_products(graph, precision);
  return compiler::build(compiler::PortableGraph{.graph = std::move(graph), .origin = {}}, compiler::find_target(target));
}

uint16_t rounded(float value, DType to) {
  return compiler::rounded(compiler::Tensor::copy_of(DType::f32, {1}, std::as_bytes(std::span(&value, 1))), to).as<uint16_t>()[0];
}

// Two products around elementwise work, weights and a view; the input is read by a product and by something else.
constexpr const char* kModel = R"(graph "g" opset 13 (%x: f32[3,8]) {
  %w = f32[8,16] random<1>
  %b = f32[16] random<2>
  %v = f32[3,16] random<3>
  %g = Gemm(%x, %w, %b)
  %r = Relu(%g)
  %s = Add(%r, %v)
  %t = Transpose(%s) {perm = [1, 0]}
  %p = MatMul(%t, %x)
  %n = Neg(%x)
  return %p, %n
})";

// What a load makes of 16 bits.
float widened(uint32_t code, DType dtype) {
  return emulator::reference::visit_dtype(static_cast<uint8_t>(dtype), [&](auto codec) { return static_cast<float>(codec.value(code)); });
}

TEST(Precision, RoundsEveryHalfToItself) {
  for (const DType dtype : {DType::f16, DType::bf16})
    for (uint32_t code = 0; code < 0x10000; ++code) {
      const float value = widened(code, dtype);
      if (!std::isnan(value)) {
        ASSERT_EQ(rounded(value, dtype), code) << name(dtype);
      }
    }
}

TEST(Precision, RoundsToTheNearestTiesToEvenAsTheChipDoes) {
  std::mt19937 random(3);
  std::vector<float> values = {0x1p-25f,
                               -0x1p-25f,
                               0x1.000002p-25f,
                               0x1.8p-25f,
                               0x1p-14f,
                               0x1.ffcp-15f,
                               0x1.ffep-15f,
                               65504,
                               65519.996f,
                               65520,
                               1e30f,
                               -std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::max(),
                               0x1.01p0f,
                               0x1.03p0f,
                               0x1.002p0f,
                               0x1.006p0f,
                               0.0f,
                               -0.0f};
  while (values.size() < 200000) {
    const float any = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (!std::isnan(any)) values.push_back(any);
    // between two halves, and on the middle
    values.push_back(std::ldexp(1 + static_cast<float>(random() % 4096) / 2048, static_cast<int>(random() % 45) - 26));
  }
  for (const DType dtype : {DType::f16, DType::bf16}) {
    const Narrow want = narrow(values, static_cast<uint8_t>(dtype));
    const compiler::Tensor got = compiler::rounded(
        compiler::Tensor::copy_of(DType::f32, {static_cast<int64_t>(values.size())}, std::as_bytes(std::span(values))), dtype);
    for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(got.as<uint16_t>()[i], want.bits[i]) << values[i] << " in " << name(dtype);
  }
}

TEST(Precision, LeavesANanANan) {
  for (const uint32_t bits : {0x7f800001u, 0xff800001u, 0x7fc00000u, 0x7fffffffu}) {
    EXPECT_EQ(rounded(std::bit_cast<float>(bits), DType::f16) & 0x7e00, 0x7e00);
    EXPECT_GT(rounded(std::bit_cast<float>(bits), DType::bf16) & 0x7fff, 0x7f80);
  }
}

TEST(Precision, OfF32ChangesNothing) {
  const Program program = compiled(kModel, DType::f32), plain = compile_text(kModel);
  EXPECT_TRUE(std::ranges::equal(program.commands(), plain.commands()));
  EXPECT_TRUE(std::ranges::equal(program.weights(), plain.weights()));
  EXPECT_THAT(program.report(), AllOf(HasSubstr(R"("precision": "f32")"), Not(HasSubstr("weights_in_f32_bytes"))));
}

TEST(Precision, IsRoundedWhereValuesAreComputedAndReadWhereTheyLie) {
  const Program program = compiled(kModel, DType::bf16);
  // The input is rounded by a command of its own, since copies convert nothing; what Add computes, with it.
  EXPECT_EQ(outline(program), "IN Input\nVE Cast\nME Gemm+Relu+Add+Cast\nVE Neg\nOUT Output\nME MatMul\nOUT Output\n");
  for (const uint32_t offset : command_offsets(program)) {
    const auto* header = reinterpret_cast<const kawara_header*>(program.commands().data() + offset);
    if (header->opcode != KAWARA_COMMAND_gemm) continue;
    const auto& gemm = *reinterpret_cast<const kawara_gemm*>(header);
    EXPECT_EQ(gemm.a.dtype, KAWARA_DTYPE_bf16);
    EXPECT_EQ(gemm.b.dtype, KAWARA_DTYPE_bf16);
    EXPECT_EQ(gemm.acc_dtype, KAWARA_DTYPE_f32);
  }
}

TEST(Precision, HalvesTheWeightsOfProductsAndSaysSo) {
  const Program narrow = compiled(kModel, DType::f16), wide = compiled(kModel, DType::f32);
  constexpr size_t kWeights = 8 * 16;
  EXPECT_EQ(wide.weights().size() - narrow.weights().size(), 2 * kWeights);
  EXPECT_THAT(narrow.report(),
              AllOf(HasSubstr(R"("precision": "f16")"), HasSubstr(fmt::format(R"("weights_bytes": {})", narrow.weights().size())),
                    HasSubstr(fmt::format(R"("weights_in_f32_bytes": {})", wide.weights().size()))));
}

TEST(Precision, GivesWhatCastsInTheModelWouldGive) {
  const std::string cast = R"(graph "g" opset 13 (%x: f32[4,40]) {
    %w = f32[40,6] random<1>
    %a = Cast(%x) {to = TO}
    %b = Cast(%a) {to = 1}
    %c = Cast(%w) {to = TO}
    %d = Cast(%c) {to = 1}
    %y = MatMul(%b, %d)
    return %y
  })";
  const std::string plain = "graph \"g\" opset 13 (%x: f32[4,40]) {\n %w = f32[40,6] random<1>\n %y = MatMul(%x, %w)\n return %y\n}";
  const auto x = numbers({4, 40}, 5).values;
  for (const auto& [precision, to] : {std::pair(DType::f16, "10"), std::pair(DType::bf16, "16")}) {
    std::string text = cast;
    for (size_t at; (at = text.find("TO")) != std::string::npos;) text.replace(at, 2, to);
    const auto got = run_floats(compiled(plain, precision), {x}), want = run_floats(compile_text(text), {x});
    EXPECT_EQ(got, want) << name(precision);
    EXPECT_NE(got, run_floats(compile_text(plain), {x})) << "and something is rounded at all";
  }
}

TEST(Precision, GoesToAnotherChipWithTheProgram) {
  for (const DType precision : {DType::bf16, DType::f16}) {
    const Program there = relower(compiled(kModel, precision, "k1"), "k1-mini"), here = compiled(kModel, precision, "k1-mini");
    EXPECT_TRUE(std::ranges::equal(there.commands(), here.commands()));
    EXPECT_TRUE(std::ranges::equal(there.weights(), here.weights()));
    EXPECT_THAT(there.report(), HasSubstr(fmt::format(R"("precision": "{}")", name(precision))));
  }
}

TEST(Precision, IsFreeOfRacesAndTakesFewerCyclesForLargeProducts) {
  const std::string text =
      "graph \"g\" opset 13 (%x: f32[256,512]) {\n %w = f32[512,512] random<1>\n %y = MatMul(%x, %w)\n %z = MatMul(%y, %w)\n return %z\n}";
  const auto cycles = [](const Program& program) {
    const size_t at = program.report().find("\"predicted_cycles\": ");
    return std::stoull(program.report().substr(at + 20));
  };
  const Program narrow = compiled(text, DType::bf16), wide = compiled(text, DType::f32);
  EXPECT_THAT(races(narrow), testing::IsEmpty());
  EXPECT_LT(cycles(narrow), cycles(wide));
}

TEST(Precision, MustBeOneThatProductsHave) {
  EXPECT_THAT([] { compiler::require_precision(DType::i8); },
              testing::ThrowsMessage<Error>(HasSubstr("precision must be f32, bf16 or f16, got i8")));
}

}  // namespace
}  // namespace kawara::test
