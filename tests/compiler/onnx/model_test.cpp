// SPDX-License-Identifier: Apache-2.0
#include "onnx/model.h"

#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "graph_text.h"
#include "model_writer.h"

namespace kawara::compiler {

namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::pair<Code, std::string> complaint(const std::string& bytes) {
  try {
    read(bytes);
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {Code::internal, "no complaint"};
}

std::string attribute(const std::string& name, int64_t type, auto fill) {
  return message([&](auto& fields) {
    fields.add_string(1, name);
    fill(fields);
    if (type) fields.add_int32(20, static_cast<int32_t>(type));
  });
}

TEST(Onnx, ASmallModelIsRead) {
  const Graph graph = read(model(small_parts()));
  EXPECT_EQ(print(graph), R"(graph "g" opset 13 (%x: f32[n,2]) {
  metadata "author" = "test"
  %w = f32[2] dense<1.0, 2.0>
  %sum = Add(%x, %w) id 1
  %y: f32[n,2] = Relu(%sum) id 2
  return %y
}
)");
}

TEST(Onnx, EveryKindOfAttributeIsRead) {
  GraphParts parts = small_parts();
  parts.nodes[0] =
      node("Add", {"x", "", "w", ""}, {"sum"},
           {attribute("f", 1, [](auto& a) { a.add_float(2, 0.5f); }), attribute("i", 2, [](auto& a) { a.add_int64(3, -4); }),
            attribute("s", 3, [](auto& a) { a.add_string(4, "text"); }),
            attribute("t", 4, [](auto& a) { a.add_message(5, tensor("", 1, {}, raw({3}))); }),
            attribute("fs", 6,
                      [](auto& a) {
                        const float list[] = {1, 2};
                        a.add_packed_float(7, list, list + 2);
                      }),
            attribute("is", 7, [](auto& a) { a.add_int64(8, 1), a.add_int64(8, 2); }), attribute("none", 7, [](auto&) {}),
            attribute("ss", 8, [](auto& a) { a.add_string(9, "a"); }), attribute("old", 0, [](auto& a) { a.add_int64(3, 9); })});
  EXPECT_THAT(print(read(model(parts))), HasSubstr("Add(%x, _, %w) {f = 0.5, fs = [1.0, 2.0], i = -4, is = [1, 2], none = ints[], old = 9, "
                                                   "s = \"text\", ss = [\"a\"], t = f32[] dense<3.0>}"));
}

TEST(Onnx, EveryElementTypeIsReadRawAndTyped) {
  const auto typed = [](int64_t element_type, int field, auto fill) {
    GraphParts parts = small_parts();
    parts.initializers.push_back(message([&](auto& fields) {
      fields.add_int64(1, 2);
      fields.add_int32(2, static_cast<int32_t>(element_type));
      fields.add_string(8, "t");
      fill(fields, field);
    }));
    parts.outputs.push_back(value_info("t", element_type, {2}));
    return print(read(model(parts)));
  };
  const auto integers = [](auto& fields, int field) { fields.add_int64(field, 1), fields.add_int64(field, 0); };
  EXPECT_THAT(typed(1, 4,
                    [](auto& fields, int field) {
                      const float list[] = {1, 0};
                      fields.add_packed_float(field, list, list + 2);
                    }),
              HasSubstr("f32[2] dense<1.0, 0.0>"));
  EXPECT_THAT(typed(2, 5, integers), HasSubstr("u8[2] dense<1, 0>"));
  EXPECT_THAT(typed(3, 5, integers), HasSubstr("i8[2] dense<1, 0>"));
  EXPECT_THAT(typed(5, 5, integers), HasSubstr("i16[2] dense<1, 0>"));
  EXPECT_THAT(typed(6, 5, integers), HasSubstr("i32[2] dense<1, 0>"));
  EXPECT_THAT(typed(7, 7, integers), HasSubstr("i64[2] dense<1, 0>"));
  EXPECT_THAT(typed(9, 5, integers), HasSubstr("boolean[2] dense<1, 0>"));
  EXPECT_THAT(typed(10, 5, integers), HasSubstr("f16[2] hex\"01000000\""));
  EXPECT_THAT(typed(12, 11, integers), HasSubstr("u32[2] dense<1, 0>"));
  EXPECT_THAT(typed(13, 11, integers), HasSubstr("u64[2] dense<1, 0>"));
  EXPECT_THAT(typed(22, 5, [](auto& fields, int field) { fields.add_int64(field, 0x21); }), HasSubstr("i4[2] hex\"21\""));
  EXPECT_THAT(typed(1, 9, [](auto& fields, int field) { fields.add_bytes(field, raw({4, 5})); }), HasSubstr("f32[2] dense<4.0, 5.0>"));
}

TEST(Onnx, ElementTypesThatTheChipLacksAreRefusedByName) {
  GraphParts parts = small_parts();
  parts.initializers.push_back(tensor("precise", 11, {1}, std::string(8, 'x')));
  const auto [code, message] = complaint(model(parts));
  EXPECT_EQ(code, Code::unsupported);
  EXPECT_THAT(message, HasSubstr("tensor 'precise' has elements of type double"));
  parts = small_parts();
  parts.inputs.push_back(value_info("p", 11, {1}));
  EXPECT_THAT(complaint(model(parts)).second, HasSubstr("'p' has elements of type double"));
}

TEST(Onnx, OldModelsListInitializersAmongTheInputs) {
  GraphParts parts = small_parts();
  parts.inputs.push_back(value_info("w", 1, {2}));
  const Graph graph = read(model(parts, 3));
  EXPECT_EQ(graph.inputs.size(), 1u);
}

TEST(Onnx, ANodeWithAGraphInsideIsLeftToInference) {
  GraphParts parts = small_parts();
  parts.nodes.push_back(
      node("If", {"x"}, {"z"}, {attribute("then_branch", 5, [](auto& a) { a.add_message(6, std::string("\x12\x01g")); })}));
  EXPECT_THAT(print(read(model(parts))), HasSubstr("%z = If(%x) id 3"));
}

TEST(Onnx, BrokenRulesNameFieldAndByte) {
  const auto with = [](auto change) {
    GraphParts parts = small_parts();
    change(parts);
    const auto [code, message] = complaint(model(parts));
    EXPECT_EQ(code, Code::invalid_model) << message;
    return message;
  };
  EXPECT_THAT(with([](auto& p) { p.initializers[0] = tensor("w", 1, {3}, raw({1, 2})); }),
              AllOf(HasSubstr("graph.initializer[0].raw_data, at byte"), HasSubstr("tensor 'w' is f32[3], 12 bytes, but holds 8")));
  EXPECT_THAT(with([](auto& p) { p.initializers[0] = tensor("w", 1, {INT64_MAX, INT64_MAX}, ""); }), HasSubstr("more than 2^40 elements"));
  EXPECT_THAT(with([](auto& p) { p.initializers[0] = tensor("w", 1, {-2}, ""); }), HasSubstr("a dimension is -2"));
  EXPECT_THAT(with([](auto& p) { p.initializers[0] = tensor("w", 1, std::vector<int64_t>(65, 1), raw({1})); }),
              HasSubstr("more than 64 dimensions"));
  EXPECT_THAT(with([](auto& p) { p.initializers[0] = tensor("w", 99, {2}, raw({1, 2})); }), HasSubstr("element type 99 does not exist"));
  EXPECT_THAT(with([](auto& p) { p.initializers[0] = tensor("w", 9, {2}, "\x01\x02"); }), HasSubstr("a boolean that is neither 0 nor 1"));
  EXPECT_THAT(with([](auto& p) { p.initializers.push_back(p.initializers[0]); }), HasSubstr("'w' is defined a second time"));
  EXPECT_THAT(with([](auto& p) { p.nodes[1] = node("Relu", {"nothing"}, {"y"}); }),
              AllOf(HasSubstr("graph.node[1].input"), HasSubstr("no earlier node computes 'nothing'")));
  EXPECT_THAT(with([](auto& p) { std::swap(p.nodes[0], p.nodes[1]); }), HasSubstr("no earlier node computes 'sum'"));
  EXPECT_THAT(with([](auto& p) { p.nodes[1] = node("", {"sum"}, {"y"}); }), HasSubstr("the node has no operator"));
  EXPECT_THAT(with([](auto& p) { p.nodes[1] = node("Relu", {"sum"}, {}); }), HasSubstr("has no outputs"));
  EXPECT_THAT(with([](auto& p) { p.nodes[1] = node("Relu", {"sum"}, {"y"}, {}, "com.example"); }),
              HasSubstr("domain 'com.example', whose version the model doesn't import"));
  EXPECT_THAT(with([](auto& p) { p.outputs[0] = value_info("w2", 1, {2}); }), HasSubstr("no node computes the output 'w2'"));
  EXPECT_THAT(with([](auto& p) { p.outputs.clear(); }), HasSubstr("the graph has no output"));
  EXPECT_THAT(with([](auto& p) { p.inputs.push_back(p.inputs[0]); }), HasSubstr("'x' is an input twice"));
  EXPECT_THAT(with([](auto& p) { p.nodes[0] = message([](auto& fields) { fields.add_int64(4, 5); }); }),
              AllOf(HasSubstr("graph.node[0].op_type"), HasSubstr("wire type 0, not 2")));
}

TEST(Onnx, WhatIsNoModelIsSaidSo) {
  EXPECT_THAT(complaint("").second, HasSubstr("the file is empty"));
  EXPECT_THAT(complaint(std::string(100, '\0')).second, HasSubstr("starts with zeros"));
  EXPECT_EQ(complaint("\x89PNG\r\n\x1a\n and so on").first, Code::invalid_model);
  EXPECT_THAT(complaint(message([](auto& fields) { fields.add_int64(1, 8); })).second, HasSubstr("has 0 graphs"));
  EXPECT_THAT(complaint(message([](auto& fields) { fields.add_string(2, "someone"); })).second, HasSubstr("no ir_version"));
}

TEST(Onnx, AFileIsMappedAndItsErrorsNameIt) {
  const auto folder = std::filesystem::temp_directory_path() / ("kawara-onnx-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const auto write = [&](const char* name, const std::string& bytes) {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return folder / name;
  };
  const auto code_of = [](const std::filesystem::path& path) {
    try {
      read_onnx(path);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(path.filename().string()));
      return error.code();
    }
    return Code::internal;
  };
  EXPECT_EQ(read_onnx(write("small.onnx", model(small_parts()))).nodes.size(), 2u);
  EXPECT_EQ(code_of(write("empty.onnx", "")), Code::invalid_model);
  EXPECT_EQ(code_of(write("cut.onnx", model(small_parts()).substr(0, 40))), Code::invalid_model);
  EXPECT_EQ(code_of(folder / "missing.onnx"), Code::not_found);
  EXPECT_EQ(code_of(folder), Code::io_failed);
  // Nobody will ever write into it.
  ASSERT_EQ(mkfifo((folder / "pipe.onnx").c_str(), 0600), 0);
  EXPECT_EQ(code_of(folder / "pipe.onnx"), Code::io_failed);
  std::filesystem::remove_all(folder);
}

TEST(Onnx, ANameThatIsNoTextIsRefused) {
  for (const char* name : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    GraphParts parts = small_parts();
    parts.nodes[1] = node("Relu", {"sum"}, {"y", name});
    try {
      read(model(parts));
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_model);
      EXPECT_THAT(error.what(), HasSubstr("not UTF-8"));
    }
  }
  GraphParts parts = small_parts();
  parts.nodes[1] = node("Relu", {"sum"}, {"y", "\xe8\x97\x81 \xf0\x9f\x8d\xb5"});
  EXPECT_EQ(read(model(parts)).nodes.size(), 2u);
}

}  // namespace

}  // namespace kawara::compiler
