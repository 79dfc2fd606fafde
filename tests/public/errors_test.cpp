// SPDX-License-Identifier: Apache-2.0
// Every row of errors.def, provoked as a user would meet it.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <map>
#include <optional>

#include "kawara/capture.h"
#include "kawara/compiler.h"
#include "kawara/device.h"
#include "kawara/error.h"
#include "kawara/hw/encode.h"
#include "kawara/session.h"
#include "support/contents_of.h"
#include "support/folder.h"
#include "support/small_model.h"

namespace kawara::test {
namespace {

using testing::HasSubstr;

constexpr const char* kDevice = "emulator:reference,config=k1-mini";

// A job of one command that is not the chip's.
Fence submit_wrong_job(const Device& device, const Buffer& commands) {
  auto nop = hw::blank<kawara_nop>();
  nop.header.opcode = 0xee;
  std::memcpy(commands.bytes().data(), &nop, sizeof nop);
  return device.submit({.commands = &commands, .command_bytes = sizeof nop});
}

Program of_next_version(const Program& program) {
  ProgramContents contents = contents_of(program);
  ++contents.isa_version;
  contents.graph.clear(), contents.constants.clear();
  return Program(std::move(contents));
}

// Throws in a child what a child meets; the code comes back as its exit status.
void in_a_child(const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    int status = 255;
    try {
      body();
    } catch (const Error& error) {
      status = static_cast<int>(error.code());
    }
    _exit(status);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) != 255) throw Error(static_cast<Code>(WEXITSTATUS(status)), "'in the child': met there");
}

struct Row {
  std::function<void(const Folder&)> provoke;
  const char* names;  // the thing that the message must name
};

const std::map<Code, Row> kRows = {
    {Code::invalid_argument, {[](const Folder&) { Device::open(kDevice).allocate(0, Memory::local); }, "0 bytes"}},
    {Code::not_found, {[](const Folder& folder) { compile(folder.path() / "absent.onnx"); }, "absent.onnx"}},
    {Code::invalid_model, {[](const Folder& folder) { compile(folder.write("broken.onnx", std::string(64, '\0'))); }, "broken.onnx"}},
    {Code::invalid_program, {[](const Folder& folder) { Program::load(folder.write("broken.kwr", "nothing")); }, "broken.kwr"}},
    {Code::invalid_capture, {[](const Folder& folder) { Capture::load(folder.write("broken.kwj", "nothing")); }, "broken.kwj"}},
    {Code::unsupported, {[](const Folder& folder) { compile(folder.write("m.onnx", small_model("Frobnicate"))); }, "the_node"}},
    {Code::shape_required, {[](const Folder& folder) { compile(folder.write("m.onnx", small_model("Relu", {-1}))); }, "'x'"}},
    {Code::wrong_input, {[](const Folder& folder) { compile(folder.write("m.onnx", small_model()), {.shapes = {{"z", {4}}}}); }, "'z'"}},
    {Code::out_of_memory,
     {[](const Folder&) {
        const Device device = Device::open(kDevice);
        device.allocate(device.local_bytes() + 4096, Memory::local);
      },
      "bytes of local memory"}},
    {Code::device_fault,
     {[](const Folder&) {
        const Device device = Device::open(kDevice);
        const Buffer commands = device.allocate(4096, Memory::local);
        submit_wrong_job(device, commands).wait();
      },
      "command 0"}},
    {Code::device_unavailable, {[](const Folder&) { Device::open("/dev/accel/accel0"); }, "/dev/accel/accel0"}},
    {Code::queue_dead,
     {[](const Folder&) {
        const Device device = Device::open(kDevice);
        const Buffer commands = device.allocate(4096, Memory::local);
        const Fence first = submit_wrong_job(device, commands);
        while (!first.done()) continue;
        submit_wrong_job(device, commands);
      },
      "queue"}},
    {Code::version_mismatch,
     {[](const Folder& folder) {
        Session(Device::open(kDevice), of_next_version(compile(folder.write("m.onnx", small_model()), {.target = "k1-mini"})));
      },
      "version"}},
    {Code::forked,
     {[](const Folder&) {
        const Device device = Device::open(kDevice);
        const Buffer commands = device.allocate(4096, Memory::local);
        in_a_child([&] { device.submit({.commands = &commands, .command_bytes = 16}); });
      },
      "child"}},
    {Code::io_failed,
     {[](const Folder& folder) { compile(folder.write("m.onnx", small_model())).save(folder.path() / "absent" / "m.kwr"); },
      "absent/m.kwr"}},
};

// What no call can bring about, and why.
const std::map<Code, const char*> kOutOfReach = {
    {Code::device_lost, "takes an engine that does not stop when it is told to: Driver.ResetsADeviceWhoseQueueDoesNotStop has one"},
    {Code::internal, "takes a mistake in kawara: PlanCheck makes several"},
};

TEST(Errors, AreProvokedEachOrOutOfReachForAReason) {
  for (const Code code : kCodes) EXPECT_EQ(kRows.count(code) + kOutOfReach.count(code), 1u) << name(code) << ": give it a row here";
}

TEST(Errors, HaveACauseAndARemedy) {
  for (const Code code : kCodes) {
    EXPECT_GT(cause(code).size(), 10u) << name(code);
    EXPECT_GT(remedy(code).size(), 5u) << name(code);
  }
}

TEST(Errors, CarryTheirCodeAndNameTheThing) {
  const Folder folder;
  for (const auto& [code, row] : kRows) {
    SCOPED_TRACE(name(code));
    try {
      row.provoke(folder);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(name(error.code()), name(code)) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(row.names));
    }
  }
}

}  // namespace
}  // namespace kawara::test
