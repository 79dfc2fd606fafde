// SPDX-License-Identifier: Apache-2.0
// Small graphs through the whole compiler and the reference executor, compared with plain loops over the same numbers.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "build.h"
#include "compiler/oracle.h"
#include "compiler/races.h"
#include "emit.h"
#include "graph_text.h"
#include "specialise.h"

namespace kawara::test {
namespace {

using ::testing::IsEmpty;

Program compile_text(const std::string& text) {
  compiler::Graph graph = compiler::parse_graph(text);
  uint32_t id = 0;
  for (compiler::Node& node : graph.nodes) node.debug_id = ++id;
  compiler::specialise(graph, {});
  return compiler::build(std::move(graph), compiler::find_target("k1"));
}

// One line per command: engine and operators; copies at the border say Input or Output.
std::string outline(const Program& program) {
  static constexpr const char* kEngines[] = {"CP", "ME", "VE", "IN", "OUT"};
  std::string text;
  for (const uint32_t offset : command_offsets(program)) {
    const auto* header = reinterpret_cast<const kawara_header*>(program.commands().data() + offset);
    for (const DebugEntry& entry : program.debug())
      if (entry.id == header->debug_id) text += fmt::format("{} {}\n", kEngines[header->engine], entry.op);
  }
  return text;
}

// The program's answer to numbered inputs; it must also be free of races.
Array run(const std::string& text, const std::vector<Array>& inputs) {
  const Program program = compile_text(text);
  EXPECT_THAT(races(program), IsEmpty());
  std::vector<std::vector<float>> values;
  for (const Array& input : inputs) values.push_back(input.values);
  return {program.outputs()[0].shape, run_floats(program, values)};
}

void expect_near(const Array& got, const Array& want, float tolerance = 1e-5f) {
  ASSERT_EQ(got.shape, want.shape);
  for (size_t i = 0; i < want.values.size(); ++i)
    ASSERT_LE(std::abs(got.values[i] - want.values[i]), tolerance * (1 + std::abs(want.values[i])))
        << "element " << i << ": " << got.values[i] << " and " << want.values[i];
}

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

// The published bounds of the sequences are a few units in the last place.
TEST(Lowering, ErfTanhAndLogFollowTheLibrarysFunctions) {
  const Array x = numbers({200}, 4);
  const std::pair<std::string, double (*)(double)> functions[] = {{"Erf", std::erf}, {"Tanh", std::tanh}, {"Log", std::log}};
  for (const auto& [op, function] : functions) {
    SCOPED_TRACE(op);
    Array argument = x;
    if (op == "Log")
      for (float& value : argument.values) value = std::abs(value) + 0.01f;
    const Array got = run("graph \"g\" opset 13 (%x: f32[200]) {\n %y = " + op + "(%x)\n return %y\n}", {argument});
    for (size_t i = 0; i < argument.values.size(); ++i) {
      const double want = function(argument.values[i]);
      EXPECT_LE(std::abs(got.values[i] - want), 4 * 1.2e-7 * std::abs(want)) << op << " of " << argument.values[i];
    }
  }
}

TEST(Lowering, IsNaNFindsWhatIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const Array got = run(R"(graph "g" opset 13 (%x: f32[5]) {
    %n = IsNaN(%x)
    %seven = f32[] dense<7>
    %y = Where(%n, %seven, %x)
    return %y
  })",
                        {{{5}, {1, nan, infinity, -nan, -2}}});
  EXPECT_THAT(got.values, testing::ElementsAre(1, 7, infinity, 7, -2));
}

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

TEST(Lowering, ReductionsDropOrKeepDimensionsAndTakeWhatFollows) {
  const Array x = numbers({3, 4, 5}, 1);
  const std::string text = R"(graph "g" opset 13 (%x: f32[3,4,5]) {
    %m = ReduceMean(%x) { axes = [0, -1], keepdims = 0 }
    %y = Relu(%m)
    return %y
  })";
  EXPECT_EQ(outline(compile_text(text)), "IN Input\nVE ReduceMean+Relu\nOUT Output\n");
  Array want{{4}, std::vector<float>(4)};
  for_each_point(x.shape, [&](const Index& i) { want.at({i[1]}) += x.at(i) / 15; });
  for (float& value : want.values) value = std::max(value, 0.0f);
  expect_near(run(text, {x}), want);

  Array greatest{{1, 1, 1}, {-1e30f}};
  for (const float value : x.values) greatest.values[0] = std::max(greatest.values[0], value);
  expect_near(run("graph \"g\" opset 13 (%x: f32[3,4,5]) {\n %y = ReduceMax(%x)\n return %y\n}", {x}), greatest);
}

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

TEST(Lowering, AConcatenationsPiecesAreWrittenInPlace) {
  const std::string text = R"(graph "g" opset 13 (%x: f32[2,3], %z: f32[2,4]) {
    %a = Relu(%x)
    %b = Neg(%x)
    %c = Concat(%a, %z, %b, %b) { axis = -1 }
    %y = Abs(%c)
    return %y, %c
  })";
  // The input and the second use of %b are copied; %a and the first %b are where they belong.
  EXPECT_EQ(outline(compile_text(text)), "IN Input\nIN Input\nVE Relu\nVE Neg\nIN Concat\nIN Concat\nVE Abs\nOUT Output\nOUT Output\n");
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

TEST(Lowering, EveryReductionMeansWhatItsNameSays) {
  const Array x = numbers({2, 6}, 1);
  const std::pair<std::string, std::function<float(float, float)>> steps[] = {
      {"ReduceSum", [](float a, float b) { return a + b; }},          {"ReduceProd", [](float a, float b) { return a * b; }},
      {"ReduceMax", [](float a, float b) { return std::max(a, b); }}, {"ReduceMin", [](float a, float b) { return std::min(a, b); }},
      {"ReduceL1", [](float a, float b) { return a + std::abs(b); }}, {"ReduceSumSquare", [](float a, float b) { return a + b * b; }},
      {"ReduceL2", [](float a, float b) { return a + b * b; }}};
  for (const auto& [op, step] : steps) {
    SCOPED_TRACE(op);
    Array want{{2, 1}, {0, 0}};
    for (int64_t row = 0; row < 2; ++row) {
      const bool starts_at_first = op == "ReduceMax" || op == "ReduceMin" || op == "ReduceProd";
      float value = starts_at_first ? x.at({row, 0}) : step(0, x.at({row, 0}));
      for (int64_t i = 1; i < 6; ++i) value = step(value, x.at({row, i}));
      want.at({row, 0}) = op == "ReduceL2" ? std::sqrt(value) : value;
    }
    // The axes are an attribute, or an input since version 13 of ReduceSum and 18 of the others.
    expect_near(run("graph \"g\" opset 11 (%x: f32[2,6]) {\n %y = " + op + "(%x) { axes = [1] }\n return %y\n}", {x}), want);
    expect_near(run("graph \"g\" opset 18 (%x: f32[2,6]) {\n %a = i64[1] dense<-1>\n %y = " + op + "(%x, %a)\n return %y\n}", {x}), want);
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

TEST(Lowering, InputsAndConstantsCanBeOutputs) {
  const Program program = compile_text(R"(graph "g" opset 13 (%x: f32[3], %unused: f32[2]) {
    %c = f32[2] dense<5.0, 6.0>
    return %x, %c
  })");
  const float x[] = {1, 2, 3};
  const auto bytes = std::as_bytes(std::span(x));
  const auto outputs = run_program(program, {{bytes.begin(), bytes.end()}, std::vector<std::byte>(8)});
  const auto values = [&](size_t i) {
    std::vector<float> result(outputs[i].size() / 4);
    std::memcpy(result.data(), outputs[i].data(), outputs[i].size());
    return result;
  };
  EXPECT_THAT(values(0), testing::ElementsAre(1, 2, 3));
  EXPECT_THAT(values(1), testing::ElementsAre(5, 6));
}

TEST(Lowering, TwoOutputsOfOneNameAreRefused) {
  try {
    compile_text("graph \"g\" opset 13 (%x: f32[3]) {\n %y = Relu(%x)\n return %y, %y\n}");
    FAIL() << "both were taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_model);
  }
}

TEST(Lowering, TensorsWithoutElementsNeedNoCommands) {
  const Program program = compile_text(R"(graph "g" opset 13 (%x: f32[0,3], %w: f32[3,2]) {
    %a = Relu(%x)
    %y = MatMul(%a, %w)
    return %y
  })");
  EXPECT_EQ(outline(program), "IN Input\n");
  EXPECT_THAT(run_floats(program, {{}, std::vector<float>(6)}), IsEmpty());
}

TEST(Lowering, AProductOverNothingIsZero) {
  const Array got =
      run("graph \"g\" opset 13 (%a: f32[2,0], %b: f32[0,3]) {\n %y = MatMul(%a, %b)\n return %y\n}", {{{2, 0}, {}}, {{0, 3}, {}}});
  EXPECT_THAT(got.values, testing::Each(0.0f));
}

TEST(Lowering, AModelTooLargeForTheTargetIsRefused) {
  compiler::Graph graph = compiler::parse_graph("graph \"g\" opset 13 (%x: f32[16384,8192]) {\n %y = Relu(%x)\n return %y\n}");
  compiler::specialise(graph, {});
  try {
    compiler::build(std::move(graph), compiler::find_target("k1-mini"));
    FAIL() << "1 GiB fitted into 256 MiB";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::out_of_memory);
  }
}

// Each of nine inputs is one stream, and a section has eight: the group becomes two commands.
TEST(Lowering, AGroupThatBreaksALimitIsSplit) {
  std::string text = "graph \"g\" opset 13 (%x0: f32[4]";
  for (int i = 1; i < 9; ++i) text += fmt::format(", %x{}: f32[4]", i);
  text += ") {\n";
  for (int i = 1; i < 9; ++i) text += fmt::format(" %s{} = Add({}, %x{})\n", i, i == 1 ? "%x0" : fmt::format("%s{}", i - 1), i);
  text += " return %s8\n}";
  compiler::Graph graph = compiler::parse_graph(text);
  compiler::specialise(graph, {});
  compiler::Node group;
  group.op = "Group";
  group.domain = "kawara";
  group.name = graph.nodes[0].name;
  group.inputs = graph.inputs;
  group.outputs = graph.outputs;
  group.body = graph.nodes;
  graph.nodes = {group};
  const Program program = compiler::build(std::move(graph), compiler::find_target("k1"));
  EXPECT_THAT(races(program), IsEmpty());
  EXPECT_THAT(outline(program), testing::HasSubstr("VE Add+Add+Add+Add\nVE Add+Add+Add+Add\n"));
  std::vector<std::vector<float>> inputs;
  for (int i = 0; i < 9; ++i) inputs.push_back({1.0f * static_cast<float>(i), 2, 3, 4});
  EXPECT_THAT(run_floats(program, inputs), testing::ElementsAre(36, 18, 27, 36));
}

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
  EXPECT_LT(program.regions()[1].size_bytes, 8 * 256u);  // the arena holds fewer than all eight values
  std::vector<std::byte> commands(program.commands().begin(), program.commands().end());
  for (const uint32_t offset : command_offsets(program)) std::memset(commands.data() + offset + offsetof(kawara_header, wait), 0, 12);
  EXPECT_THAT(races(commands, command_offsets(program)), testing::Not(IsEmpty()));
}

TEST(Emit, TheSameGraphGivesTheSameBytes) {
  const std::string text = R"(graph "g" opset 13 (%x: f32[2,3,8,8]) {
    %w = f32[3,3,3,3] random<7>
    %same = f32[3,3,3,3] random<7>
    %a = Conv(%x, %w) { pads = [1, 1, 1, 1] }
    %b = Conv(%a, %same) { pads = [1, 1, 1, 1] }
    return %b
  })";
  const Program once = compile_text(text), again = compile_text(text);
  EXPECT_TRUE(std::ranges::equal(once.commands(), again.commands()));
  EXPECT_TRUE(std::ranges::equal(once.weights(), again.weights()));
  EXPECT_EQ(once.report(), again.report());
  EXPECT_EQ(once.weights().size(), 512u);  // 324 bytes once, aligned to 256
}

}  // namespace
}  // namespace kawara::test
