// SPDX-License-Identifier: Apache-2.0
// Jobs kept in files, when asked for and at faults, and run again on either executor.
#include <array>
#include <cstring>
#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "build.h"
#include "emit.h"
#include "graph_text.h"
#include "kawara/cache.h"
#include "kawara/capture.h"
#include "kawara/error.h"
#include "kawara/hw/commands.h"
#include "kawara/inference_session.h"
#include "kawara/replay.h"
#include "specialise.h"
#include "support/contents_of.h"
#include "support/folder.h"
#include "support/given.h"

namespace kawara::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kReference = "emulator:reference,config=k1-mini";
constexpr size_t kRows = 5, kDepth = 24, kColumns = 7;

Program program_of(const std::string& text) {
  compiler::Graph graph = compiler::parse_graph(text);
  compiler::specialise(graph, {});
  return compiler::build(std::move(graph), compiler::find_target("k1-mini"));
}
Program relu() { return program_of("graph \"g\" opset 14 (%x: f32[4]) {\n %y = Relu(%x)\n return %y\n}"); }
// Float sums, which each executor adds up in an order of its own.
Program product() {
  return program_of("graph \"g\" opset 14 (%x: f32[5, 24], %w: f32[24, 7]) {\n %y = MatMul(%x, %w)\n %z = Relu(%x)\n return %y, %z\n}");
}
// The first command, copy in, gets a flag that no copy has.
Program broken() {
  ProgramContents contents = contents_of(relu());
  contents.commands[offsetof(kawara_copy, flags)] = std::byte{0x80};
  return Program(std::move(contents));
}

using Four = std::array<float, 4>;

struct Job {
  std::vector<float> x, w, y = std::vector<float>(kRows * kColumns), z = std::vector<float>(kRows * kDepth);
  Job() {
    for (size_t i = 0; i < kRows * kDepth; ++i) x.push_back(static_cast<float>(i * 37 % 101) / 7 - 7);
    for (size_t i = 0; i < kDepth * kColumns; ++i) w.push_back(static_cast<float>(i * 53 % 97) / 11 - 4);
  }
  Bindings bindings(const fs::path& capture = {}) {
    return {.inputs = {{"x", std::as_bytes(std::span(x))}, {"w", std::as_bytes(std::span(w))}},
            .outputs = {{"y", std::as_writable_bytes(std::span(y))}, {"z", std::as_writable_bytes(std::span(z))}},
            .capture = capture};
  }
};

Bindings bound(const Four& x, Four& y, const fs::path& capture = {}) {
  return {.inputs = {{"x", std::as_bytes(std::span(x))}}, .outputs = {{"y", std::as_writable_bytes(std::span(y))}}, .capture = capture};
}

std::string complaint(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return fmt::format("{}: {}", name(error.code()), error.what());
  }
  return "";
}

bool is_there(const std::string& device) {
  try {
    Device::open(device);
    return true;
  } catch (const Error&) {
    return false;
  }
}

class JobCapture : public testing::Test {
 protected:
  fs::path file() const { return folder_.path() / "job.kwj"; }
  // What a faulting run says, and where the job is by that.
  static std::string fault_of(Session& session, const Bindings& bindings) {
    return complaint([&] { session.submit(bindings).wait(); });
  }
  static fs::path kept(const std::string& message) {
    const size_t begin = message.find("kawara replay "), end = message.find('`', begin);
    return begin == std::string::npos ? fs::path() : fs::path(message.substr(begin + 14, end - begin - 14));
  }
  std::vector<fs::path> faults() const {
    std::vector<fs::path> faults;
    if (fs::exists(folder_.path() / "faults"))
      for (const auto& entry : fs::directory_iterator(folder_.path() / "faults")) faults.push_back(entry.path());
    std::ranges::sort(faults);
    return faults;
  }
  Given keep_here() const { return Given("KAWARA_FAULTS", (folder_.path() / "faults").string()); }

  const Folder folder_;
  const Four x_{1, -1, 2, -2};
  Four y_{};
};

TEST_F(JobCapture, RunsAgainToTheSameBitsOnTheSameExecutor) {
  for (const std::string device : {"emulator:reference,config=k1-mini", "emulator:vulkan,config=k1-mini"}) {
    if (!is_there(device)) continue;
    Job job;
    Session session(Device::open(device), product());
    session.submit(job.bindings()).wait();
    const std::vector<float> before = job.y;
    session.submit(job.bindings(file())).wait();
    EXPECT_EQ(job.y, before) << "a capture changes nothing";
    const Replay again = replay(Capture::load(file()));
    EXPECT_EQ(again.device, device);
    EXPECT_TRUE(again.bits_promised);
    EXPECT_TRUE(again.equal && again.as_promised);
    EXPECT_EQ(again.report.cycles, again.captured_report.cycles);
    EXPECT_EQ(again.report.commands, again.captured_report.commands);
    ASSERT_THAT(again.outputs, SizeIs(2));
    EXPECT_EQ(again.outputs[0].name, "y");
    EXPECT_EQ(again.outputs[0].elements, kRows * kColumns);
    EXPECT_EQ(again.outputs[0].different, 0u);
  }
}

TEST_F(JobCapture, OfOneExecutorRunsOnTheOtherWithinWhatTheJobPromises) {
  if (!is_there("emulator:vulkan,config=k1-mini")) GTEST_SKIP() << "no Vulkan device";
  for (const auto& [from, to] :
       {std::pair("emulator:vulkan,config=k1-mini", "emulator:reference"), std::pair(kReference, "emulator:vulkan")}) {
    Job job;
    Session(Device::open(from), product()).submit(job.bindings(file())).wait();
    const Replay again = replay(Capture::load(file()), to);
    EXPECT_EQ(again.device, fmt::format("{},config=k1-mini", to)) << "in the capture's configuration";
    EXPECT_FALSE(again.bits_promised);
    EXPECT_TRUE(again.as_promised);
    EXPECT_DOUBLE_EQ(again.relative_tolerance, 2.0 * (kDepth + 2) / (1 << 24)) << "one command sums, so many products";
    EXPECT_GT(again.outputs.at(0).tolerance, 0);
    EXPECT_EQ(again.outputs.at(1).different, 0u) << "z is no sum";
  }
}

TEST_F(JobCapture, SaysHowFarTheOutputsAreApart) {
  Job job;
  Session(Device::open(kReference), product()).submit(job.bindings(file())).wait();
  const Capture capture = Capture::load(file());
  CaptureContents contents{
      .program = product(),
      .device = capture.device(),
      .executor = "vulkan",  // so that bits may differ
      .computes_on = "another",
      .inputs = {{capture.input(0).begin(), capture.input(0).end()}, {capture.input(1).begin(), capture.input(1).end()}},
      .outputs = {{capture.output(0).begin(), capture.output(0).end()}, {capture.output(1).begin(), capture.output(1).end()}},
      .report = capture.report()};
  const auto with_y0 = [&](float value) {
    std::memcpy(contents.outputs[0].data(), &value, sizeof value);
    return replay(Capture(contents), kReference);
  };
  const float y0 = job.y[0];
  const Replay near = with_y0(std::nextafter(y0, 2 * y0));
  EXPECT_FALSE(near.equal);
  EXPECT_TRUE(near.as_promised);
  EXPECT_EQ(near.outputs.at(0).different, 1u);
  EXPECT_EQ(near.outputs.at(0).max_ulp, 1u);
  const Replay far = with_y0(y0 + 1);
  EXPECT_FALSE(far.as_promised);
  EXPECT_NEAR(far.outputs.at(0).max_abs, 1, 1e-4);
  EXPECT_FALSE(with_y0(std::numeric_limits<float>::quiet_NaN()).as_promised);
  // the same bits are promised again
  contents.executor = "reference", contents.computes_on = "";
  EXPECT_FALSE(with_y0(std::nextafter(y0, 2 * y0)).as_promised);
}

// What such a program reads before it writes it is zero in every captured job, whatever ran before.
TEST_F(JobCapture, FindsAZeroedArena) {
  ProgramContents contents = contents_of(relu());
  std::vector<std::byte> commands;
  for (size_t at = 0, bytes; at < contents.commands.size(); at += bytes) {
    auto header = *reinterpret_cast<const kawara_header*>(contents.commands.data() + at);
    bytes = header.size16 * size_t{16};
    if (header.opcode != KAWARA_COMMAND_copy) continue;
    const size_t begin = commands.size();
    commands.insert(commands.end(), contents.commands.begin() + static_cast<ptrdiff_t>(at),
                    contents.commands.begin() + static_cast<ptrdiff_t>(at + bytes));
    std::ranges::fill(reinterpret_cast<kawara_header*>(commands.data() + begin)->wait, 0u);
  }
  Session computes(Device::open(kReference), relu());
  contents.commands = std::move(commands);  // without what computes: y is what lies in the arena
  Session copies(Device::open(kReference), Program(std::move(contents)));
  for (int run = 0; run < 2; ++run) copies.submit(bound(x_, y_)).wait();
  copies.submit(bound(x_, y_, file())).wait();
  EXPECT_TRUE(replay(Capture::load(file())).equal);
  EXPECT_TRUE(Capture::load(file()).arena_was_zero());
}

TEST_F(JobCapture, HoldsWhatLayInTheCallersBuffers) {
  const Device device = Device::open(kReference);
  Session session(device, relu());
  std::optional<Buffer> input(device.allocate(4096, Memory::system)), output(device.allocate(4096, Memory::system));
  std::memcpy(input->bytes().data(), x_.data(), sizeof x_);
  kawara::Run run = session.submit({.inputs = {{.name = "x", .bytes = {}, .buffer = &*input}},
                                    .outputs = {{.name = "y", .bytes = {}, .buffer = &*output}},
                                    .capture = file()});
  input.reset(), output.reset();  // the run has them still
  run.wait();
  const Capture capture = Capture::load(file());
  EXPECT_EQ(std::memcmp(capture.input(0).data(), x_.data(), sizeof x_), 0);
  Four y;
  std::memcpy(y.data(), capture.output(0).data(), sizeof y);
  EXPECT_THAT(y, ElementsAre(1, 0, 2, 0));
  EXPECT_TRUE(replay(capture).equal);
}

TEST_F(JobCapture, ThatCannotBeWrittenLosesNoOutput) {
  Session session(Device::open(kReference), relu());
  kawara::Run run = session.submit(bound(x_, y_, folder_.path() / "absent" / "job.kwj"));
  EXPECT_THAT(complaint([&] { run.wait(); }), AllOf(HasSubstr("io_failed"), HasSubstr("absent/job.kwj")));
  EXPECT_THAT(y_, ElementsAre(1, 0, 2, 0));
  run.wait();
  EXPECT_GT(run.report().commands, 0u);
  session.submit(bound(x_, y_)).wait();  // the slot is free
}

TEST_F(JobCapture, OfAProgramThatWritesItsInputsIsRefused) {
  ProgramContents contents = contents_of(relu());
  contents.regions[contents.inputs[0].region].writable = true;
  Session session(Device::open(kReference), Program(std::move(contents)));
  EXPECT_THAT(complaint([&] { session.submit(bound(x_, y_, file())); }),
              AllOf(HasSubstr("invalid_argument"), HasSubstr("writes its inputs")));
  session.submit(bound(x_, y_)).wait();
}

TEST_F(JobCapture, IsWrittenByAnInferenceSession) {
  InferenceSession session(relu(), kReference);
  session.run({}, {{.name = "x", .dtype = DType::f32, .shape = {4}, .bytes = std::as_bytes(std::span(x_))}}, {}, file());
  EXPECT_TRUE(replay(Capture::load(file())).equal);
}

TEST_F(JobCapture, OfAnotherCommandSetIsRefused) {
  Session(Device::open(kReference), relu()).submit(bound(x_, y_, file())).wait();
  const Capture capture = Capture::load(file());
  ProgramContents contents = contents_of(capture.program());
  ++contents.isa_version;
  const Capture next({.program = Program(std::move(contents)),
                      .device = capture.device(),
                      .executor = capture.executor(),
                      .computes_on = "",
                      .inputs = {{capture.input(0).begin(), capture.input(0).end()}},
                      .outputs = {{capture.output(0).begin(), capture.output(0).end()}}});
  EXPECT_THAT(complaint([&] { replay(next); }), AllOf(HasSubstr("version_mismatch"), HasSubstr("replay them by kawara")));
}

TEST_F(JobCapture, OfAFaultIsKeptByItselfAndFaultsAgain) {
  const Given here = keep_here();
  Session session(Device::open(kReference), broken());
  const std::string message = fault_of(session, bound(x_, y_));
  EXPECT_THAT(message, AllOf(HasSubstr("device_fault: bad_command"), HasSubstr("flags"), HasSubstr("The job is kept")));
  EXPECT_THAT(faults(), ElementsAre(kept(message)));
  const Capture capture = Capture::load(kept(message));
  ASSERT_TRUE(capture.fault());
  EXPECT_TRUE(capture.arena_was_zero()) << "its first run";
  EXPECT_EQ(std::memcmp(capture.input(0).data(), x_.data(), sizeof x_), 0);
  for (const std::string device : {"emulator:reference", "emulator:vulkan"}) {
    if (!is_there(device + ",config=k1-mini")) continue;
    const Replay again = replay(capture, device);
    EXPECT_TRUE(again.equal && again.as_promised);
    EXPECT_THAT(again.fault, HasSubstr("bad_command"));
    EXPECT_EQ(again.fault, again.captured_fault);
    EXPECT_THAT(again.outputs, IsEmpty());
  }
  EXPECT_THAT(faults(), SizeIs(1)) << "a replay's own fault is not kept";
}

TEST_F(JobCapture, OfTheSameFaultIsKeptOnce) {
  const Given here = keep_here();
  Session session(Device::open(kReference), broken());
  const fs::path first = kept(fault_of(session, bound(x_, y_)));
  EXPECT_EQ(kept(fault_of(session, bound(x_, y_))), first);
  EXPECT_THAT(faults(), ElementsAre(first));
  fs::remove(first);
  const fs::path second = kept(fault_of(session, bound(x_, y_)));
  EXPECT_THAT(faults(), ElementsAre(second)) << "again once it is gone";
  EXPECT_FALSE(Capture::load(second).arena_was_zero());
}

TEST_F(JobCapture, OfAFaultGoesWhereItWasAskedFor) {
  const Given here = keep_here();
  Session session(Device::open(kReference), broken());
  EXPECT_EQ(kept(fault_of(session, bound(x_, y_, file()))), file());
  EXPECT_TRUE(replay(Capture::load(file())).equal);
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(JobCapture, OfAFaultThatDoesNotComeAgainSaysSo) {
  Session(Device::open(kReference), relu()).submit(bound(x_, y_, file())).wait();
  const Capture capture = Capture::load(file());
  const Capture hung({.program = capture.program(),
                      .device = capture.device(),
                      .executor = capture.executor(),
                      .computes_on = "",
                      .inputs = {{capture.input(0).begin(), capture.input(0).end()}},
                      .fault = Fault{.code = KAWARA_FAULT_engine_hang, .engine = KAWARA_ENGINE_VE}});
  const Replay again = replay(hung);
  EXPECT_FALSE(again.equal || again.as_promised);
  EXPECT_THAT(again.captured_fault, HasSubstr("engine_hang"));
  EXPECT_EQ(again.fault, "");
  EXPECT_GT(again.report.commands, 0u);
}

TEST_F(JobCapture, IsNotKeptWhereNobodyWantsIt) {
  Session session(Device::open(kReference), broken());
  {
    const Given off("KAWARA_FAULTS", "off");
    EXPECT_THAT(fault_of(session, bound(x_, y_)), Not(HasSubstr("kept")));
  }
  const Given here = keep_here();
  Session quiet(Device::open(kReference), broken(), {.slots = 1, .keep_faults = false});
  EXPECT_THAT(fault_of(quiet, bound(x_, y_)), Not(HasSubstr("kept")));
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(JobCapture, ThatCannotBeKeptLeavesTheFaultAsItIs) {
  folder_.write("faults", "a file where the folder should be");
  for (const Given& place : {keep_here(), Given("KAWARA_FAULTS", "no absolute folder")}) {
    static_cast<void>(place);
    Session session(Device::open(kReference), broken());
    EXPECT_THAT(fault_of(session, bound(x_, y_)), AllOf(HasSubstr("device_fault: bad_command"), Not(HasSubstr("kept"))));
  }
}

TEST_F(JobCapture, KeepsTheNewestFaultsAlone) {
  const Given here = keep_here();
  const Device device = Device::open(kReference);
  std::vector<fs::path> all;
  for (int i = 0; i < 11; ++i) {
    Session session(device, broken());
    all.push_back(kept(fault_of(session, bound(x_, y_))));
    fs::last_write_time(all.back(), fs::file_time_type::clock::now() - std::chrono::minutes(30 - i));
  }
  const fs::path others = folder_.write("faults/notes.kwj", "the user's own");
  Session session(device, broken());
  all.push_back(kept(fault_of(session, bound(x_, y_))));
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(fs::exists(all[i]), i >= all.size() - 8) << i;
  EXPECT_TRUE(fs::exists(others));
  EXPECT_EQ(cache_use().faults, 8u);
  EXPECT_EQ(cache_use().fault_bytes, 8 * fs::file_size(all.back()));
  clear_cache();
  EXPECT_THAT(faults(), ElementsAre(others));
}

TEST_F(JobCapture, KeepsFaultsWithinTheirBytes) {
  const Given here = keep_here();
  const Device device = Device::open(kReference);
  Session first(device, broken());
  const uint64_t size = fs::file_size(kept(fault_of(first, bound(x_, y_))));
  {
    const Given bytes("KAWARA_CACHE_BYTES", std::to_string(size * 4 * 5 / 2));  // a quarter is for faults: room for two and a half
    for (int i = 0; i < 4; ++i) {
      Session session(device, broken());
      fault_of(session, bound(x_, y_));
    }
    EXPECT_THAT(faults(), SizeIs(2));
  }
  const Given bytes("KAWARA_CACHE_BYTES", std::to_string(size * 4 - 4));
  Session session(device, broken());
  EXPECT_THAT(fault_of(session, bound(x_, y_)), Not(HasSubstr("kept"))) << "one that has no room";
  EXPECT_THAT(faults(), SizeIs(2));
}

}  // namespace
}  // namespace kawara::test
