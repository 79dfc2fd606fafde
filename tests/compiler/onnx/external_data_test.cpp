// SPDX-License-Identifier: Apache-2.0
// Tensors whose data lies in files beside the model: read where they lie, and nothing outside of the model's folder.
#include "onnx/external_data.h"

#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "kawara/compiler.h"
#include "model_writer.h"

namespace kawara::compiler {

namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Entries = std::vector<std::pair<std::string, std::string>>;

class ExternalDataTest : public testing::Test {
 protected:
  ExternalDataTest() : root_(fs::temp_directory_path() / ("kawara-external-" + std::to_string(::getpid()))), folder_(root_ / "model") {
    fs::remove_all(root_);
    fs::create_directories(folder_ / "below");
  }
  ~ExternalDataTest() override { fs::remove_all(root_); }

  fs::path write(const fs::path& path, const std::string& bytes) const {
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  // y = Relu(x + w), w: f32[2] with these entries.
  fs::path model_of(const Entries& entries) const {
    GraphParts parts = small_parts();
    parts.initializers = {external_tensor("w", 1, {2}, entries)};
    return write(folder_ / "model.onnx", model(parts));
  }
  Tensor read_w(const Entries& entries) const {
    const Graph graph = read_onnx(model_of(entries));
    for (const Value& value : graph.values)
      if (value.name == "w") return *value.constant;
    throw std::runtime_error("there is no w");
  }
  std::pair<Code, std::string> complaint(const Entries& entries) const {
    try {
      read_w(entries);
    } catch (const Error& error) {
      return {error.code(), error.what()};
    }
    return {Code::internal, "no complaint"};
  }
  void expect(Code code, const std::string& words, const Entries& entries) const {
    const auto [got, message] = complaint(entries);
    EXPECT_EQ(name(got), name(code)) << message;
    EXPECT_THAT(message, AllOf(HasSubstr("'w'"), HasSubstr(words)));
  }

  fs::path root_, folder_;
};

TEST_F(ExternalDataTest, IsReadFromTheFileAtItsOffset) {
  write(folder_ / "below" / "data.bin", raw({9, 9, 3, 4}));
  EXPECT_THAT(read_w({{"location", "below/data.bin"}, {"offset", "8"}, {"length", "8"}, {"checksum", "of no interest"}}).as<float>(),
              ElementsAre(3, 4));
  EXPECT_THAT(read_w({{"location", "./below/data.bin"}}).as<float>(), ElementsAre(9, 9));
}

TEST_F(ExternalDataTest, StaysInTheMappingWhereItIsAlignedThere) {
  write(folder_ / "data.bin", raw({1, 2, 3, 4, 5}));
  // What is mapped starts at a page: the place in it shows that nothing was copied.
  const Tensor aligned = read_w({{"location", "data.bin"}, {"offset", "4"}});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(aligned.bytes.data()) % 4096, 4u);
  write(folder_ / "odd.bin", std::string(1, 'x').append(raw({6, 7})));
  EXPECT_THAT(read_w({{"location", "odd.bin"}, {"offset", "1"}}).as<float>(), ElementsAre(6, 7));
}

TEST_F(ExternalDataTest, MayLieBehindFourGigabytes) {
  constexpr uint64_t kOffset = 5ull << 30;
  std::ofstream file(write(folder_ / "sparse.bin", ""), std::ios::binary);
  file.seekp(static_cast<std::streamoff>(kOffset));
  file << raw({1, 2});
  file.close();
  EXPECT_THAT(read_w({{"location", "sparse.bin"}, {"offset", std::to_string(kOffset)}}).as<float>(), ElementsAre(1, 2));
  expect(Code::invalid_model, "lie outside of the file 'sparse.bin'",
         {{"location", "sparse.bin"}, {"offset", std::to_string(kOffset + 1)}});
}

TEST_F(ExternalDataTest, ALinkMayStayInTheFolder) {
  write(folder_ / "below" / "data.bin", raw({3, 4}));
  fs::create_symlink("below/data.bin", folder_ / "link.bin");
  EXPECT_THAT(read_w({{"location", "link.bin"}}).as<float>(), ElementsAre(3, 4));
}

TEST_F(ExternalDataTest, OutsideOfTheFolderIsRefused) {
  write(root_ / "secret.bin", raw({1, 2}));
  fs::create_symlink("../secret.bin", folder_ / "link.bin");
  fs::create_symlink(root_, folder_ / "up");
  fs::create_directory(root_ / "model-two");
  write(root_ / "model-two" / "data.bin", raw({1, 2}));
  fs::create_symlink("../model-two/data.bin", folder_ / "neighbour.bin");
  expect(Code::invalid_model, "must be given relative", {{"location", (root_ / "secret.bin").string()}});
  expect(Code::invalid_model, "must not leave the model's folder", {{"location", "../secret.bin"}});
  expect(Code::invalid_model, "must not leave the model's folder", {{"location", "below/../../secret.bin"}});
  expect(Code::invalid_model, "'link.bin' is a link that leads out", {{"location", "link.bin"}});
  expect(Code::invalid_model, "'up/secret.bin' is a link that leads out", {{"location", "up/secret.bin"}});
  expect(Code::invalid_model, "'neighbour.bin' is a link that leads out", {{"location", "neighbour.bin"}});
}

TEST_F(ExternalDataTest, WhatIsNoFileIsRefused) {
  fs::create_symlink("loop.bin", folder_ / "loop.bin");
  fs::create_symlink("/dev/zero", folder_ / "zero.bin");
  ASSERT_EQ(mkfifo((folder_ / "pipe.bin").c_str(), 0600), 0);  // opening it would wait for ever
  expect(Code::not_found, "'absent.bin' is not there", {{"location", "absent.bin"}});
  expect(Code::not_found, "is not there", {{"location", "model.onnx/data.bin"}});
  expect(Code::invalid_model, "is not a regular file", {{"location", "below"}});
  expect(Code::invalid_model, "is not a regular file", {{"location", "."}});
  expect(Code::invalid_model, "is not a regular file", {{"location", "pipe.bin"}});
  expect(Code::invalid_model, "leads out", {{"location", "zero.bin"}});
  expect(Code::invalid_model, "must be given relative", {{"location", "/dev/zero"}});
  expect(Code::invalid_model, "can't be reached", {{"location", "loop.bin"}});
  expect(Code::invalid_model, "is no path", {{"location", std::string("data\0.bin", 9)}});
  expect(Code::invalid_model, "is no path", {{"location", std::string(5000, 'x')}});
  expect(Code::invalid_model, "does not say in which", {{"offset", "0"}});
}

TEST_F(ExternalDataTest, BytesThatTheFileLacksAreRefused) {
  write(folder_ / "data.bin", raw({1, 2, 3}));
  write(folder_ / "empty.bin", "");
  const auto at = [](const char* offset, const char* length) {
    return Entries{{"location", "data.bin"}, {"offset", offset}, {"length", length}};
  };
  expect(Code::invalid_model, "8 bytes from byte 8 on lie outside of the file 'data.bin', which has 12", at("8", "8"));
  expect(Code::invalid_model, "lie outside", at("13", "8"));
  expect(Code::invalid_model, "lie outside", at("18446744073709551615", "8"));
  expect(Code::invalid_model, "takes 8 bytes, but its data in 'data.bin' has a length of 12", at("0", "12"));
  expect(Code::invalid_model, "has a length of 18446744073709551615", at("0", "18446744073709551615"));
  expect(Code::invalid_model, "lie outside", {{"location", "empty.bin"}});
  for (const char* text : {"-1", "", "8 ", "0x8", "18446744073709551616"})
    expect(Code::invalid_model, "the offset of its external data must be a number of bytes", at(text, "8"));
}

TEST_F(ExternalDataTest, ATensorHasItsDataInOnePlace) {
  GraphParts parts = small_parts();
  parts.initializers[0] += message([](auto& fields) { fields.add_int32(14, 1); });
  try {
    read_onnx(write(folder_ / "model.onnx", model(parts)));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_model);
    EXPECT_THAT(error.what(), HasSubstr("tensor 'w' holds data, and says that it lies in another file"));
  }
}

TEST_F(ExternalDataTest, AModelInMemoryHasNone) {
  GraphParts parts = small_parts();
  parts.initializers = {external_tensor("w", 1, {2}, {{"location", "data.bin"}})};
  try {
    read(model(parts));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("tensor 'w' lies in another file, 'data.bin'"));
  }
}

TEST_F(ExternalDataTest, InspectionCountsItsBytes) {
  write(folder_ / "data.bin", raw({1, 2}));
  EXPECT_EQ(inspect(model_of({{"location", "data.bin"}})).constant_bytes, 8u);
}

}  // namespace

}  // namespace kawara::compiler
