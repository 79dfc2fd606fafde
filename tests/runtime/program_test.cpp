// SPDX-License-Identifier: Apache-2.0
#include "kawara/program.h"

#include <sys/stat.h>
#include <unistd.h>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kawara/error.h"
#include "program_file.h"

namespace kawara {
namespace {

using Bytes = std::vector<std::byte>;
using testing::HasSubstr;

ProgramContents small_program() {
  ProgramContents contents;
  contents.target = "k1-mini";
  contents.isa_version = 1;
  for (int i = 0; i < 64; ++i) contents.commands.push_back(std::byte(i));
  contents.regions = {
      {.role = ProgramRegion::Role::weights, .size_bytes = 10000},
      {.role = ProgramRegion::Role::arena, .size_bytes = 4096, .writable = true, .alias_group = 1},
      {.role = ProgramRegion::Role::input, .index = 0, .size_bytes = 24},
      {.role = ProgramRegion::Role::output, .index = 0, .size_bytes = 64, .readable = false, .writable = true},
      {.role = ProgramRegion::Role::sram, .size_bytes = 1024, .writable = true},
  };
  contents.inputs = {{.name = "x", .dtype = DType::f32, .shape = {1, 2, 3}, .region = 2, .size_bytes = 24}};
  contents.outputs = {{.name = "y", .dtype = DType::i4, .shape = {7}, .region = 3, .size_bytes = 4}};
  contents.debug = {{.id = 1, .node = "Conv_0", .op = "Conv+HardSwish"}, {.id = 2, .node = "Relu_1", .op = "Relu"}};
  contents.metadata = {{"producer", "a test"}};
  contents.report = "{\"commands\": 2}";
  for (int i = 0; i < 10000; ++i) contents.weights.push_back(std::byte(i * 7));
  for (int i = 0; i < 100; ++i) contents.graph.push_back(std::byte(i * 3));
  for (int i = 0; i < 5000; ++i) contents.constants.push_back(std::byte(i * 5));
  return contents;
}

class ProgramFile : public testing::Test {
 protected:
  ProgramFile() : folder_(std::filesystem::temp_directory_path() / ("kawara_program_test_" + std::to_string(getpid()))) {
    std::filesystem::create_directory(folder_);
  }
  ~ProgramFile() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path path(const std::string& name = "model.kwr") const { return folder_ / name; }

  Bytes saved(const Program& program) const {
    program.save(path());
    return read(path());
  }
  static Bytes read(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }
  void write(const Bytes& bytes) const {
    std::ofstream(path(), std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
  }

 private:
  std::filesystem::path folder_;
};

// The message of the Error that `body` throws, "" without one; fails the test on another code.
std::string error_of(Code code, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(name(error.code()), name(code)) << error.what();
    return error.what();
  }
  return "";
}

TEST_F(ProgramFile, GivesBackWhatWasSaved) {
  const ProgramContents contents = small_program();
  Program(contents).save(path());
  const Program loaded = Program::load(path());
  EXPECT_EQ(loaded.target(), "k1-mini");
  EXPECT_EQ(loaded.isa_version(), 1u);
  EXPECT_TRUE(std::ranges::equal(loaded.commands(), contents.commands));
  EXPECT_TRUE(std::ranges::equal(loaded.weights(), contents.weights));
  EXPECT_TRUE(std::ranges::equal(loaded.graph(), contents.graph));
  EXPECT_TRUE(std::ranges::equal(loaded.constants(), contents.constants));
  ASSERT_EQ(loaded.regions().size(), 5u);
  EXPECT_EQ(loaded.regions()[1].alias_group, 1);
  EXPECT_EQ(loaded.regions()[4].role, ProgramRegion::Role::sram);
  EXPECT_TRUE(loaded.regions()[3].writable);
  EXPECT_FALSE(loaded.regions()[3].readable);
  EXPECT_EQ(loaded.inputs()[0].shape, (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(loaded.outputs()[0].dtype, DType::i4);
  EXPECT_EQ(loaded.debug()[1].node, "Relu_1");
  EXPECT_EQ(loaded.metadata()[0].second, "a test");
  EXPECT_EQ(loaded.report(), contents.report);
}

TEST_F(ProgramFile, HasTheSameBytesEveryTime) {
  const Bytes first = saved(Program(small_program()));
  EXPECT_EQ(saved(Program(small_program())), first);
  EXPECT_EQ(saved(Program::load(path())), first) << "and after a load, over the file that is mapped";
}

TEST_F(ProgramFile, MapsItsWeightsAtAPage) {
  Program(small_program()).save(path());
  const Program loaded = Program::load(path());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(loaded.weights().data()) % 4096, 0u);
}

TEST_F(ProgramFile, CopiesItsWeightsAndReadsThemAgain) {
  Program(small_program()).save(path());
  const Program loaded = Program::load(path());
  const Bytes expected = small_program().weights;
  for (int round = 0; round < 2; ++round) {
    Bytes copy(expected.size() + 10, std::byte{1});
    loaded.copy_weights(copy);
    EXPECT_TRUE(std::ranges::equal(std::span(copy).first(expected.size()), expected));
    EXPECT_EQ(copy.back(), std::byte{1});
  }
  EXPECT_TRUE(std::ranges::equal(loaded.weights(), expected)) << "pages that were given back come from the file again";
  Bytes small(9999);
  EXPECT_THAT(error_of(Code::invalid_argument, [&] { loaded.copy_weights(small); }), HasSubstr("10000 bytes of weights don't fit 9999"));
}

TEST_F(ProgramFile, WithoutConstantsEndsWithTheWeights) {
  ProgramContents contents = small_program();
  contents.constants.clear();
  const Bytes bytes = saved(Program(contents));
  EXPECT_EQ(bytes.size() % 4096, 10000u % 4096);
  EXPECT_TRUE(Program::load(path()).constants().empty());
}

TEST_F(ProgramFile, KeepsItsWeightsAfterTheFileIsGone) {
  Program(small_program()).save(path());
  const Program loaded = Program::load(path());
  std::filesystem::remove(path());
  EXPECT_EQ(loaded.weights()[1], std::byte{7});
}

TEST_F(ProgramFile, IsRefusedAtEveryTruncation) {
  const Bytes whole = saved(Program(small_program()));
  for (size_t length = 0; length < whole.size(); length += length < 3000 ? 1 : 97) {
    const std::span<const std::byte> part(whole.data(), length);
    EXPECT_THROW(parse_program(part), Error) << "of length " << length;
  }
}

TEST_F(ProgramFile, IsRefusedWithBytesBehindIt) {
  Bytes bytes = saved(Program(small_program()));
  bytes.push_back(std::byte{0});
  write(bytes);
  EXPECT_THAT(error_of(Code::invalid_program, [&] { Program::load(path()); }), HasSubstr("bytes of weights"));
}

TEST_F(ProgramFile, NeverCrashesOnFlippedBytes) {
  const Bytes whole = saved(Program(small_program()));
  const size_t table = whole.size() - 3 * 4096 - 5000;
  std::mt19937 random(1);
  size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes = whole;
    for (int flips = 1 + round % 4; flips > 0; --flips) bytes[random() % table] ^= std::byte(1u << random() % 8);
    try {
      Program(parse_program(bytes).contents);
    } catch (const Error& error) {
      ++refused;
      EXPECT_TRUE(error.code() == Code::invalid_program || error.code() == Code::version_mismatch) << error.what();
    }
  }
  EXPECT_GT(refused, 1000u);
}

TEST_F(ProgramFile, NamesTheFileThatIsNotOne) {
  write(Bytes(100));
  EXPECT_THAT(error_of(Code::invalid_program, [&] { Program::load(path()); }), HasSubstr("model.kwr: it does not start as"));
  write({});
  EXPECT_THAT(error_of(Code::invalid_program, [&] { Program::load(path()); }), HasSubstr("model.kwr"));
}

TEST_F(ProgramFile, NamesTheFileThatIsNotThere) {
  EXPECT_THAT(error_of(Code::not_found, [&] { Program::load(path("absent.kwr")); }), HasSubstr("absent.kwr"));
  EXPECT_THAT(error_of(Code::io_failed, [&] { Program::load(path("")); }), HasSubstr("not a regular file"));
  // Nobody will ever write into it.
  ASSERT_EQ(mkfifo(path("pipe.kwr").c_str(), 0600), 0);
  EXPECT_THAT(error_of(Code::io_failed, [&] { Program::load(path("pipe.kwr")); }), HasSubstr("not a regular file"));
  EXPECT_THAT(error_of(Code::io_failed, [&] { Program(small_program()).save(path("absent/model.kwr")); }), HasSubstr("absent"));
}

TEST_F(ProgramFile, OfAnotherFormatVersionIsAMismatch) {
  Bytes bytes = saved(Program(small_program()));
  // The version is a 32-bit 2 in the table; the answer gives its place.
  bool found = false;
  for (size_t at = 12; at + 4 <= 4096 && !found; at += 4) {
    Bytes changed = bytes;
    if (changed[at] != std::byte{2}) continue;
    changed[at] = std::byte{3};
    try {
      parse_program(changed);
    } catch (const Error& error) {
      found = error.code() == Code::version_mismatch;
      if (found) {
        EXPECT_THAT(error.what(), HasSubstr("version 3, this kawara reads 2: it takes a newer kawara"));
      }
    }
  }
  EXPECT_TRUE(found);
}

// A program of the first format, as kawara wrote it then: target k1, metadata author = test, four bytes of weights.
Bytes first_format() {
  constexpr std::string_view kTable =
      "c4000000280000004b5752310000000000001a003400040008000c001000140018001c002000240028002c001a0000000100000001000000"
      "5c000000540000003c000000340000002c00000024000000180000000c0000000400000000000000020000007b7d00000100000038000000"
      "000000000000000000000000010000000400000000000000000000000000000100000000020000006b31000008000c000400080008000000"
      "140000000400000004000000746573740000000006000000617574686f72";
  Bytes bytes;
  for (size_t i = 0; i < kTable.size(); i += 2) bytes.push_back(std::byte(std::stoi(std::string(kTable.substr(i, 2)), nullptr, 16)));
  bytes.resize(4096);
  for (int i = 1; i < 5; ++i) bytes.push_back(std::byte(i));
  return bytes;
}

TEST_F(ProgramFile, OfTheFirstFormatIsAMismatchWithARemedy) {
  write(first_format());
  EXPECT_THAT(error_of(Code::version_mismatch, [&] { Program::load(path()); }),
              HasSubstr("model.kwr: its format has version 1, this kawara reads 2: compile the model again"));
}

TEST_F(ProgramFile, IsRefusedWhereItsRegionsAreMisaligned) {
  ProgramContents contents;
  contents.target = "k1";
  contents.regions = {{.role = ProgramRegion::Role::arena, .size_bytes = 1}, {.role = ProgramRegion::Role::arena, .size_bytes = 1}};
  const Bytes bytes = saved(Program(contents));
  // Moved by 4 bytes, the vector begins inside its first region, whose size is then its length. Some word is its offset.
  bool found = false;
  for (size_t at = 12; at + 4 <= 512; at += 4) {
    Bytes changed = bytes;
    uint32_t offset = 0;
    std::memcpy(&offset, &changed[at], 4);
    offset += 4;
    std::memcpy(&changed[at], &offset, 4);
    try {
      parse_program(changed);
    } catch (const Error& error) {
      found |= std::string_view(error.what()).find("misaligned") != std::string_view::npos;
    }
  }
  EXPECT_TRUE(found);
}

// Each row breaks one rule of a program that is good otherwise.
struct BrokenRule {
  const char* message;
  std::function<void(ProgramContents&)> breaks;
};

TEST(Program, RefusesEachBrokenRuleByName) {
  const BrokenRule rules[] = {
      {"names no target", [](auto& c) { c.target.clear(); }},
      {"its target is not UTF-8", [](auto& c) { c.target = "k1\xff"; }},
      {"the name of an input is not UTF-8", [](auto& c) { c.inputs[0].name = "x\xc0\x80"; }},
      {"the name of a node is not UTF-8", [](auto& c) { c.debug.push_back({1, "\xe2\x82", "Relu"}); }},
      {"a value of its metadata is not UTF-8", [](auto& c) { c.metadata.emplace_back("key", "\xed\xa0\x80"); }},
      {"not a multiple of 16", [](auto& c) { c.commands.pop_back(); }},
      {"bytes of commands; the chip takes", [](auto& c) { c.commands.resize((1u << 24) + 16); }},
      {"4097 regions", [](auto& c) { c.regions.resize(4097); }},
      {"region 1: larger than 2^40", [](auto& c) { c.regions[1].size_bytes = (1ull << 40) + 1; }},
      {"region 1: a second weights region", [](auto& c) { c.regions[1].role = ProgramRegion::Role::weights; }},
      {"region 0: smaller than the weights", [](auto& c) { c.regions[0].size_bytes = 9999; }},
      {"no region for them", [](auto& c) { c.regions[0].role = ProgramRegion::Role::arena; }},
      {"there are constants, but no graph that names them", [](auto& c) { c.graph.clear(); }},
      {"region 2: no input uses it", [](auto& c) { c.regions[2].index = 1; }},
      {"region 3: no output uses it", [](auto& c) { c.outputs.clear(); }},
      {"its role is unknown", [](auto& c) { c.regions[1].role = ProgramRegion::Role(9); }},
      {"input 0 '': a name must not be empty", [](auto& c) { c.inputs[0].name.clear(); }},
      {"dtype is not one", [](auto& c) { c.inputs[0].dtype = DType(99); }},
      {"dtype is not one", [](auto& c) { c.outputs[0].dtype = DType::none; }},
      {"more than 32 dimensions", [](auto& c) { c.inputs[0].shape.assign(33, 1); }},
      {"a dimension is negative", [](auto& c) { c.inputs[0].shape = {-1}; }},
      {"larger than 2^40", [](auto& c) { c.inputs[0].shape = {1ll << 62, 1ll << 62}; }},
      {"size_bytes must be", [](auto& c) { c.inputs[0].size_bytes = 20; }},
      {"its region does not exist",
       [](auto& c) { c.outputs.push_back({.name = "z", .dtype = DType::f32, .shape = {1}, .region = 99, .size_bytes = 4}); }},
      {"its region belongs to something else",
       [](auto& c) { c.outputs.push_back({.name = "z", .dtype = DType::f32, .shape = {1}, .region = 3, .size_bytes = 4}); }},
      {"smaller than the tensor", [](auto& c) { c.regions[2].size_bytes = 23; }},
      {"two have this name",
       [](auto& c) {
         c.regions.push_back({.role = ProgramRegion::Role::input, .index = 1, .size_bytes = 4});
         c.inputs.push_back({.name = "x", .dtype = DType::f32, .shape = {1}, .region = 5, .size_bytes = 4});
       }},
  };
  for (const BrokenRule& rule : rules) {
    ProgramContents contents = small_program();
    rule.breaks(contents);
    EXPECT_THAT(error_of(Code::invalid_program, [&] { Program{contents}; }), HasSubstr(rule.message));
  }
}

TEST(Program, MayHaveNoWeightsAndNoCommands) {
  ProgramContents contents;
  contents.target = "k1";
  EXPECT_TRUE(Program(contents).weights().empty());
}

}  // namespace
}  // namespace kawara
