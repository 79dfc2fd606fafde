// SPDX-License-Identifier: Apache-2.0
// .kwj files: what comes back out of them, and what is refused.
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "capture_file.h"
#include "kawara/capture.h"
#include "kawara/error.h"
#include "kawara/file/content_hash.h"
#include "support/folder.h"

namespace kawara::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Bytes = std::vector<std::byte>;

Bytes pattern(size_t size, unsigned step) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * step + 1);
  return bytes;
}

Program small_program() {
  ProgramContents contents;
  contents.target = "k1-mini";
  contents.isa_version = 1;
  contents.commands = pattern(64, 1);
  contents.regions = {{.role = ProgramRegion::Role::weights, .size_bytes = 5000},
                      {.role = ProgramRegion::Role::arena, .size_bytes = 4096, .writable = true},
                      {.role = ProgramRegion::Role::input, .index = 0, .size_bytes = 64},
                      {.role = ProgramRegion::Role::output, .index = 0, .size_bytes = 64, .writable = true}};
  contents.inputs = {{.name = "x", .dtype = DType::f32, .shape = {2, 3}, .region = 2, .size_bytes = 24}};
  contents.outputs = {{.name = "y", .dtype = DType::f16, .shape = {7}, .region = 3, .size_bytes = 14}};
  contents.debug = {{.id = 1, .node = "first", .op = "Relu"}};
  contents.report = "{}";
  contents.weights = pattern(5000, 7);
  contents.graph = pattern(100, 3);
  contents.constants = pattern(9000, 5);
  return Program(std::move(contents));
}

CaptureContents ended_well() {
  return {.program = small_program(),
          .device = "emulator:vulkan,config=k1-mini",
          .executor = "vulkan",
          .computes_on = "a device, driver 1",
          .inputs = {pattern(64, 11)},
          .outputs = {pattern(14, 13)},
          .report = {.commands = 3, .cycles = 1234567890123, .nan = 1, .inf = 2, .saturated = 3, .dropped = 4, .fidelity = {}}};
}

CaptureContents faulted() {
  CaptureContents contents = ended_well();
  contents.arena_was_zero = false;
  contents.outputs.clear();
  contents.report = {};
  contents.fault = {.code = 4, .engine = 3, .command = 32, .debug_id = 1, .field = 8, .write = true, .address = 0x123456789abc, .tag = 9};
  return contents;
}

Bytes read(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

class CaptureFile : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "job.kwj"; }
  void write(std::span<const std::byte> bytes) const {
    std::ofstream(path(), std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
  }
  Bytes saved(const CaptureContents& contents) const {
    Capture(contents).save(path());
    return read(path());
  }
  // The message of the error that loading ends in; fails the test on another code.
  std::string complaint(Code code) const {
    return complaint(code, [&] { Capture::load(path()); });
  }
  static std::string complaint(Code code, const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(name(error.code()), name(code)) << error.what();
      return error.what();
    }
    return "";
  }
  // The file with its hash made right again.
  static Bytes rehashed(Bytes bytes) {
    const auto content = std::span(bytes).first(bytes.size() - sizeof(file::ContentHash::Bytes));
    file::ContentHash hash;
    hash.add(content);
    std::ranges::copy(hash.bytes(), bytes.end() - sizeof(file::ContentHash::Bytes));
    return bytes;
  }

  const Folder folder_;
};

TEST_F(CaptureFile, GivesBackAJobThatEndedWell) {
  Capture(ended_well()).save(path());
  const Capture loaded = Capture::load(path());
  EXPECT_EQ(loaded.device(), "emulator:vulkan,config=k1-mini");
  EXPECT_EQ(loaded.executor(), "vulkan");
  EXPECT_EQ(loaded.computes_on(), "a device, driver 1");
  EXPECT_TRUE(loaded.arena_was_zero());
  EXPECT_FALSE(loaded.fault());
  EXPECT_TRUE(std::ranges::equal(loaded.input(0), pattern(64, 11)));
  EXPECT_TRUE(std::ranges::equal(loaded.output(0), pattern(14, 13)));
  EXPECT_EQ(loaded.report().cycles, 1234567890123u);
  EXPECT_EQ(loaded.report().dropped, 4u);
  EXPECT_EQ(loaded.program().target(), "k1-mini");
  EXPECT_TRUE(std::ranges::equal(loaded.program().commands(), small_program().commands()));
  EXPECT_TRUE(std::ranges::equal(loaded.program().weights(), small_program().weights()));
  EXPECT_EQ(loaded.program().debug()[0].node, "first");
  EXPECT_THAT(loaded.program().graph(), IsEmpty()) << "no job reads it";
  EXPECT_THAT(loaded.program().constants(), IsEmpty());
}

TEST_F(CaptureFile, GivesBackAJobThatFaulted) {
  Capture(faulted()).save(path());
  const Capture loaded = Capture::load(path());
  ASSERT_TRUE(loaded.fault());
  EXPECT_TRUE(same_fault(*loaded.fault(), *faulted().fault));
  EXPECT_EQ(loaded.fault()->address, 0x123456789abcu);
  EXPECT_FALSE(loaded.arena_was_zero());
  EXPECT_EQ(loaded.report().commands, 0u);
  EXPECT_TRUE(std::ranges::equal(loaded.input(0), pattern(64, 11)));
}

TEST_F(CaptureFile, HasTheSameBytesEveryTimeAndAsManyAsItSays) {
  for (const CaptureContents& contents : {ended_well(), faulted()}) {
    const Bytes first = saved(contents);
    EXPECT_EQ(first.size(), Capture(contents).file_bytes());
    EXPECT_EQ(saved(contents), first);
    const Capture loaded = Capture::load(path());
    EXPECT_EQ(loaded.file_bytes(), first.size());
    loaded.save(path());
    EXPECT_EQ(read(path()), first) << "over the file that is mapped";
  }
}

TEST_F(CaptureFile, HoldsEveryInputAndEveryOutputWhole) {
  CaptureContents contents = ended_well();
  contents.inputs.clear();
  EXPECT_THAT(complaint(Code::invalid_capture, [&] { Capture{contents}; }), HasSubstr("every input"));
  contents = ended_well();
  contents.inputs[0].pop_back();
  EXPECT_THAT(complaint(Code::invalid_capture, [&] { Capture{contents}; }), HasSubstr("as large as its region"));
  contents = ended_well();
  contents.outputs.clear();
  EXPECT_THAT(complaint(Code::invalid_capture, [&] { Capture{contents}; }), HasSubstr("every output"));
  contents = faulted();
  contents.outputs = ended_well().outputs;
  EXPECT_THAT(complaint(Code::invalid_capture, [&] { Capture{contents}; }), HasSubstr("none after a fault"));
}

TEST_F(CaptureFile, IsRefusedAtEveryTruncation) {
  const Bytes whole = saved(ended_well());
  for (size_t length = 0; length < whole.size(); length += length < 1500 ? 1 : 97)
    EXPECT_THROW(parse_capture(std::span(whole).first(length)), Error) << length;
  write(std::span(whole).first(whole.size() - 1));
  EXPECT_THAT(complaint(Code::invalid_capture), AllOf(HasSubstr("job.kwj"), HasSubstr("not all of it is there")));
}

TEST_F(CaptureFile, IsRefusedForEachBitThatIsAnother) {
  const Bytes whole = saved(ended_well());
  for (size_t at = 0; at < whole.size(); at += at < 1500 ? 1 : 61) {
    Bytes damaged = whole;
    damaged[at] ^= std::byte{1};
    EXPECT_THROW(parse_capture(damaged), Error) << at;
  }
  Bytes longer = whole;
  longer.push_back(std::byte{0});
  EXPECT_THROW(parse_capture(longer), Error);
}

// Whoever hashes a wrong file gets no further.
TEST_F(CaptureFile, NeverCrashesOnWrongTablesWithARightHash) {
  const Bytes whole = saved(ended_well());
  std::mt19937 random(1);
  size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes = whole;
    for (int flips = 1 + round % 4; flips > 0; --flips) bytes[random() % 512] ^= std::byte(1u << random() % 8);
    try {
      parse_capture(rehashed(std::move(bytes)));
    } catch (const Error& error) {
      ++refused;
      EXPECT_TRUE(error.code() == Code::invalid_capture || error.code() == Code::version_mismatch) << error.what();
    }
  }
  EXPECT_GT(refused, 1000u);
}

TEST_F(CaptureFile, NamesWhatIsWrongWithItsProgram) {
  Bytes bytes = saved(ended_well());
  const Bytes weights = pattern(5000, 7);
  const auto place = std::ranges::search(bytes, weights).begin();
  ASSERT_NE(place, bytes.end());
  std::fill(place - 4096, place, std::byte{0});  // the program's table
  write(rehashed(std::move(bytes)));
  EXPECT_THAT(complaint(Code::invalid_capture), AllOf(HasSubstr("job.kwj"), HasSubstr("its program")));
}

TEST_F(CaptureFile, OfAnotherVersionIsAMismatch) {
  const Bytes whole = saved(ended_well());
  // Where the two files differ that differ in nothing but the version: its byte is a 1 that may be a 2 without harm.
  for (size_t at = 0; at < 200; ++at) {
    if (whole[at] != std::byte{1}) continue;
    Bytes other = whole;
    other[at] = std::byte{2};
    write(rehashed(std::move(other)));
    try {
      Capture::load(path());
    } catch (const Error& error) {
      if (error.code() != Code::version_mismatch) continue;
      EXPECT_THAT(error.what(), HasSubstr("version 2, this kawara reads 1: it takes a newer kawara"));
      return;
    }
  }
  FAIL() << "no byte is the version";
}

TEST_F(CaptureFile, NamesTheFileThatIsNotOne) {
  for (const std::string& text : {std::string(), std::string("KWJ1"), std::string(8192, '\0'), std::string(8192, 'x')}) {
    folder_.write("job.kwj", text);
    EXPECT_THAT(complaint(Code::invalid_capture), HasSubstr("job.kwj: it does not start as"));
  }
  EXPECT_THAT(complaint(Code::not_found, [&] { Capture::load(folder_.path() / "absent.kwj"); }), HasSubstr("absent.kwj"));
}

// As on a full disk: the limit on a file's size ends a write halfway.
TEST_F(CaptureFile, ThatCannotBeWrittenWholeIsNotThere) {
  const Capture capture(ended_well());
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 6000;
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THAT(complaint(Code::io_failed, [&] { capture.save(path()); }), HasSubstr("job.kwj"));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path())) << "nor is anything else";
  capture.save(path());
  EXPECT_EQ(Capture::load(path()).output(0).size(), 14u);
}

}  // namespace
}  // namespace kawara::test
