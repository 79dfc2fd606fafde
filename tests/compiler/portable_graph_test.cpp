// SPDX-License-Identifier: Apache-2.0
// The graph that a program carries: it comes back as it was, makes the same program again, and a damaged one is refused.
#include "portable_graph.h"

#include <functional>
#include <random>

#include <gmock/gmock.h>
#include <graph_generated.h>

#include "build.h"
#include "emit.h"
#include "graph_text.h"
#include "kawara/compiler.h"
#include "kawara/error.h"
#include "passes/passes.h"
#include "run_program.h"
#include "specialise.h"

namespace kawara::compiler {

namespace {

using testing::AllOf;
using testing::HasSubstr;
using Bytes = std::vector<std::byte>;

// Matrix and vector commands, views, fused groups, a concatenation, several kinds of attributes, constants of every fate: read by
// commands (%w, %bias), part of the microcode (%two), and for shapes alone (%to).
constexpr const char* kModel = R"(graph "g" opset 13 (%x: f32[2,3]) {
  metadata "author" = "test"
  %w = f32[3,4] random<1>
  %bias = f32[4] dense<1.0, 2.0, 3.0, 4.0>
  %two = f32[] dense<2.0>
  %to = i64[2] dense<4, 2>
  %gemm = Gemm(%x, %w, %bias) {alpha = 0.5} id 1
  %relu = Relu(%gemm) id 2
  %soft = Softmax(%relu) {axis = -1} id 3
  %turned = Transpose(%soft) {perm = [1, 0]} id 4
  %shaped = Reshape(%relu, %to) id 5
  %both = Concat(%turned, %shaped) {axis = 0} id 6
  %sum = ReduceMean(%both) {axes = [1], keepdims = 1} id 7
  %y = Mul(%both, %two) id 8
  %z = Sub(%both, %sum) id 9
  return %y, %z
})";

Graph specialised(const char* text) {
  Graph graph = parse_graph(text);
  specialise(graph, {});
  return graph;
}

Program built(const char* text, const char* target = "k1") { return build(specialised(text), find_target(target)); }

ProgramContents contents_of(const Program& program) {
  ProgramContents contents;
  contents.target = program.target();
  contents.isa_version = program.isa_version();
  const auto copy = [](auto& to, const auto& from) { to.assign(from.begin(), from.end()); };
  copy(contents.commands, program.commands());
  copy(contents.regions, program.regions());
  copy(contents.inputs, program.inputs());
  copy(contents.outputs, program.outputs());
  copy(contents.debug, program.debug());
  copy(contents.metadata, program.metadata());
  copy(contents.weights, program.weights());
  copy(contents.graph, program.graph());
  copy(contents.constants, program.constants());
  contents.report = program.report();
  return contents;
}

void expect_same(const Program& a, const Program& b) {
  EXPECT_TRUE(std::ranges::equal(a.commands(), b.commands()));
  EXPECT_TRUE(std::ranges::equal(a.weights(), b.weights()));
  EXPECT_TRUE(std::ranges::equal(a.constants(), b.constants()));
  EXPECT_TRUE(std::ranges::equal(a.graph(), b.graph()));
}

std::pair<Code, std::string> complaint(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {Code::internal, "no complaint"};
}

TEST(PortableGraph, ComesBackAsItWas) {
  Graph graph = specialised(kModel);
  run_portable_passes(graph);
  EXPECT_EQ(print(read_portable_graph(built(kModel))), print(graph));
}

TEST(PortableGraph, MakesTheSameProgramAgain) {
  for (const char* from : {"k1", "k1-mini"})
    for (const char* to : {"k1", "k1-mini"}) {
      const Program program = built(kModel, from), again = relower(program, to);
      EXPECT_EQ(again.target(), to);
      expect_same(again, built(kModel, to));
      EXPECT_THAT(again.report(), AllOf(HasSubstr("relowered_from"), HasSubstr(fmt::format("\"target\": \"{}\"", from))));
      EXPECT_THAT(program.report(), testing::Not(HasSubstr("relowered_from")));
    }
}

TEST(PortableGraph, MakesAProgramOfThisCommandSetFromAnother) {
  ProgramContents contents = contents_of(built(kModel));
  contents.isa_version = 99;
  contents.commands.assign(32, std::byte{0xff});  // what no chip here could run
  const Program again = relower(Program(contents), "k1");
  expect_same(again, built(kModel));
  EXPECT_THAT(again.report(), HasSubstr("\"isa_version\": 99"));
}

TEST(PortableGraph, GivesTheSameBitsOnAnotherChip) {
  const std::vector<std::vector<float>> x{{1, -2, 3, 0.5, 0.25, -7}};
  EXPECT_EQ(test::run_floats(relower(built(kModel), "k1-mini"), x), test::run_floats(built(kModel), x));
}

TEST(PortableGraph, NamesTheWeightsThatTheChipReads) {
  const Program program = built(kModel);
  const Graph graph = read_portable_graph(program);
  const auto inside = [](std::span<const std::byte> part, std::span<const std::byte> whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
  };
  size_t weights = 0, constants = 0;
  for (const Value& value : graph.values) {
    if (!value.constant) continue;
    const bool is_read = value.name == "w" || value.name == "bias";
    EXPECT_TRUE(inside(value.constant->bytes, is_read ? program.weights() : program.constants())) << value.name;
    ++(is_read ? weights : constants);
  }
  EXPECT_EQ(weights, 2u);
  EXPECT_EQ(constants, 2u);
  EXPECT_EQ(program.constants().size(), 8u + 16u) << "the number and the shape, nothing of the weights";
}

TEST(PortableGraph, ThatIsMissingIsSaidSo) {
  ProgramContents contents = contents_of(built(kModel));
  contents.graph.clear();
  contents.constants.clear();
  const auto [code, message] = complaint([&] { relower(Program(contents), "k1-mini"); });
  EXPECT_EQ(code, Code::version_mismatch);
  EXPECT_THAT(message, HasSubstr("compiled for k1 and version 1 of the command set, carries no portable graph"));
  EXPECT_EQ(complaint([&] { relower(built(kModel), "k7"); }).first, Code::invalid_argument);
}

// The graph's table as an object, changed, and written again.
ProgramContents with_graph(const std::function<void(file::GraphT&)>& change) {
  ProgramContents contents = contents_of(built(kModel));
  const auto graph = file::UnPackGraph(contents.graph.data());
  change(*graph);
  flatbuffers::FlatBufferBuilder builder;
  file::FinishGraphBuffer(builder, file::CreateGraph(builder, graph.get()));
  const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  contents.graph.assign(bytes.begin(), bytes.end());
  return contents;
}

file::GraphNodeT& node_of(file::GraphT& graph, const std::string& op) {
  for (const auto& node : graph.nodes)
    if (node->op == op) return *node;
  throw std::runtime_error("there is no " + op);
}
file::GraphValueT& value_of(file::GraphT& graph, const std::string& name) {
  for (const auto& value : graph.values)
    if (value->name == name) return *value;
  throw std::runtime_error("there is no " + name);
}

struct BrokenRule {
  const char* message;
  std::function<void(file::GraphT&)> breaks;
};

TEST(PortableGraph, RefusesEachBrokenRuleByName) {
  const BrokenRule rules[] = {
      {"dtype of 'relu' is not one", [](auto& g) { value_of(g, "relu").dtype = 99; }},
      {"'relu' has more than 64 dimensions", [](auto& g) { value_of(g, "relu").shape.assign(65, 1); }},
      {"'relu': a dimension is -1", [](auto& g) { value_of(g, "relu").shape = {-1}; }},
      {"'relu': shape [4611686018427387904,4] has more than 2^40", [](auto& g) { value_of(g, "relu").shape = {1ll << 62, 4}; }},
      {"'w' lies in section 7", [](auto& g) { value_of(g, "w").section = 7; }},
      {"the 48 bytes of 'w' from byte 18446744073709551608 on lie outside", [](auto& g) { value_of(g, "w").offset = ~uint64_t{7}; }},
      {"lie outside of their section", [](auto& g) { value_of(g, "w").shape = {1 << 30, 1 << 8}; }},
      {"'w' must start at a multiple of 8", [](auto& g) { value_of(g, "w").offset += 4; }},
      {"names value 4000 of", [](auto& g) { node_of(g, "Relu").inputs = {4000}; }},
      {"its inputs are not the program's", [](auto& g) { g.inputs.clear(); }},
      {"its inputs are not the program's", [](auto& g) { value_of(g, "x").name = "q"; }},
      {"its outputs are not the program's", [](auto& g) { std::swap(g.outputs[0], g.outputs[1]); }},
      {"its outputs are not the program's", [](auto& g) { g.outputs[0] = ~0u; }},
      {"before it is defined", [](auto& g) { std::swap(g.nodes[0], g.nodes[1]); }},
      {"which is defined already", [](auto& g) { node_of(g, "Softmax").outputs = node_of(g, "Relu").outputs; }},
      {"Frobnicate '", [](auto& g) { node_of(g, "Relu").op = "Frobnicate"; }},
      {"Shape 'relu' is none of the operators that it may hold", [](auto& g) { node_of(g, "Relu").op = "Shape"; }},
      {"is none of the operators", [](auto& g) { node_of(g, "Relu").domain = "com.example"; }},
      {"has no first output",
       [](auto& g) { g.nodes.push_back(std::make_unique<file::GraphNodeT>(node_of(g, "Relu"))), g.nodes.back()->outputs.clear(); }},
      {"does not compute 'shaped' as it stands there", [](auto& g) { value_of(g, "shaped").shape = {2, 4}; }},
      {"does not compute 'relu' as it stands there", [](auto& g) { value_of(g, "relu").dtype = static_cast<uint8_t>(DType::f16); }},
      {"Relu 'relu': input 0 must be given", [](auto& g) { node_of(g, "Relu").inputs.clear(); }},
      {"attribute 'axis' has another type", [](auto& g) { node_of(g, "Softmax").attributes[0]->kind = 3; }},
      {"attribute 'axis' of 'soft' does not hold what its kind 1 says", [](auto& g) { node_of(g, "Softmax").attributes[0]->kind = 1; }},
      {"its kind 99 says", [](auto& g) { node_of(g, "Softmax").attributes[0]->kind = 99; }},
      {"its kind 0 says", [](auto& g) { node_of(g, "Softmax").attributes[0]->integers.clear(); }},
      {"'soft' has an attribute twice",
       [](auto& g) {
         auto& attributes = node_of(g, "Softmax").attributes;
         attributes.push_back(std::make_unique<file::GraphAttributeT>(*attributes[0]));
       }},
  };
  for (const BrokenRule& rule : rules) {
    const ProgramContents contents = with_graph(rule.breaks);
    const auto [code, message] = complaint([&] { relower(Program(contents), "k1"); });
    EXPECT_EQ(name(code), name(Code::invalid_program)) << message;
    EXPECT_THAT(message, HasSubstr(rule.message));
  }
  expect_same(relower(Program(with_graph([](auto&) {})), "k1"), built(kModel));
}

TEST(PortableGraph, OfAnotherVersionIsAMismatch) {
  const ProgramContents contents = with_graph([](auto& graph) { graph.graph_version = 2; });
  const auto [code, message] = complaint([&] { relower(Program(contents), "k1"); });
  EXPECT_EQ(code, Code::version_mismatch);
  EXPECT_THAT(message, HasSubstr("portable graph has version 2, this kawara reads 1"));
}

// True when the damaged graph still makes a program.
bool survives(ProgramContents contents, Bytes graph) {
  contents.graph = std::move(graph);
  try {
    relower(Program(std::move(contents)), "k1-mini");
    return true;
  } catch (const Error& error) {
    const bool foreseen = error.code() == Code::invalid_program || error.code() == Code::version_mismatch ||
                          error.code() == Code::unsupported || error.code() == Code::out_of_memory;
    EXPECT_TRUE(foreseen) << name(error.code()) << ": " << error.what();
    return false;
  }
}

TEST(DamagedPortableGraph, EveryPrefixIsRefused) {
  const ProgramContents whole = contents_of(built(kModel));
  ProgramContents rest = whole;
  rest.constants.clear();
  // The last bytes pad the text before them to a multiple of 4.
  for (size_t size = 0; size < whole.graph.size() - 3; ++size)
    EXPECT_FALSE(survives(size ? whole : rest, {whole.graph.begin(), whole.graph.begin() + static_cast<ptrdiff_t>(size)})) << size;
}

TEST(DamagedPortableGraph, EveryByteMayChange) {
  const ProgramContents whole = contents_of(built(kModel));
  size_t refused = 0;
  for (size_t at = 0; at < whole.graph.size(); ++at)
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      Bytes damaged = whole.graph;
      damaged[at] = std::byte(value);
      refused += !survives(whole, std::move(damaged));
    }
  EXPECT_GT(refused, whole.graph.size());
}

TEST(DamagedPortableGraph, RandomMutationsDoNoHarm) {
  const ProgramContents whole = contents_of(built(kModel));
  std::mt19937 random(20251125);
  for (int round = 0; round < 10000; ++round) {
    Bytes damaged = whole.graph;
    for (unsigned count = random() % 4 + 1; count-- > 0;) {
      const size_t at = random() % damaged.size();
      switch (random() % 3) {
        case 0: damaged[at] = std::byte(random()); break;
        case 1: damaged[at] ^= std::byte(1u << random() % 8); break;
        case 2:
          std::copy_n(damaged.begin() + static_cast<ptrdiff_t>(random() % (damaged.size() - 4)), 4,
                      damaged.begin() + static_cast<ptrdiff_t>(at / 4 * 4 < damaged.size() - 4 ? at / 4 * 4 : 0));
          break;
      }
    }
    survives(whole, std::move(damaged));
  }
}

// Offsets of a table that all lead to one long string: what is copied must not grow with their number.
TEST(DamagedPortableGraph, SharedPartsAreNotCopiedAgainAndAgain) {
  flatbuffers::FlatBufferBuilder builder;
  const auto longest = builder.CreateString(std::string(1 << 20, 'x'));
  const auto shape = builder.CreateVector(std::vector<int64_t>{});
  const auto value = file::CreateGraphValue(builder, longest, static_cast<uint8_t>(DType::f32), 0, 0, shape);
  const auto values = builder.CreateVector(std::vector<flatbuffers::Offset<file::GraphValue>>(1000, value));
  const auto none = builder.CreateVector(std::vector<uint32_t>{});
  const auto opsets = builder.CreateVector(std::vector<flatbuffers::Offset<file::GraphOpset>>{});
  const auto nodes = builder.CreateVector(std::vector<flatbuffers::Offset<file::GraphNode>>{});
  const auto text = builder.CreateString("");
  file::FinishGraphBuffer(builder, file::CreateGraph(builder, 1, text, text, 8, opsets, values, nodes, none, none));
  ProgramContents contents = contents_of(built(kModel));
  const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  contents.graph.assign(bytes.begin(), bytes.end());
  EXPECT_THAT(complaint([&] { relower(Program(contents), "k1"); }).second, HasSubstr("its parts overlap"));
}

}  // namespace

}  // namespace kawara::compiler
