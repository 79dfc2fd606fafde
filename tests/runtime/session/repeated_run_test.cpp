// SPDX-License-Identifier: Apache-2.0
// What a run costs that was made before: no memory, no check, no recording, one register. This program counts each call of
// operator new, whoever makes it.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "build.h"
#include "emit.h"
#include "emulator/chips.h"
#include "graph_text.h"
#include "kawara/error.h"
#include "kawara/hw/encode.h"
#include "kawara/session.h"
#include "specialise.h"

namespace {

std::atomic<uint64_t> allocations = 0;

void* allocate(size_t size, size_t alignment) {
  ++allocations;
  void* const memory = std::aligned_alloc(alignment, (std::max<size_t>(size, 1) + alignment - 1) / alignment * alignment);
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(size_t size, std::align_val_t alignment) { return allocate(size, static_cast<size_t>(alignment)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace kawara::test {
namespace {

constexpr unsigned kWarmUp = 50, kRuns = 300;
constexpr uint32_t kLongBytes = 4 << 20;  // of commands: takes longer than to submit hundreds of jobs

// One chip a test, told apart by its number.
struct Subject {
  const char* executor;
  uint32_t chip;

  std::string device() const { return std::string("emulator:") + executor + ",config=k1-mini," + std::to_string(chip); }
  std::shared_ptr<emulator::Driver> driver() const {
    return emulator::shared_driver({.config = "k1-mini", .executor = executor, .index = chip});
  }
};

class RepeatedRun : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      Device::open(subject.device());
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
  }
  // Runs it until nothing is new any more, then counts what hundreds of further runs take.
  template <typename Run>
  void count(Run run) {
    for (unsigned i = 0; i < kWarmUp; ++i) run();
    const auto driver = subject.driver();
    const emulator::ChipCounters before = driver->counters();
    const uint64_t allocated = allocations;
    for (unsigned i = 0; i < kRuns; ++i) run();
    taken = allocations - allocated;
    const emulator::ChipCounters after = driver->counters();
    checked = after.commands_checked - before.commands_checked;
    writes = after.register_writes - before.register_writes;
    doorbells = after.doorbells - before.doorbells;
  }
  void expect_nothing_but_doorbells() const {
    EXPECT_EQ(taken, 0u) << "calls of operator new";
    EXPECT_EQ(checked, 0u) << "commands checked";
    EXPECT_EQ(writes, kRuns) << "registers written";
    EXPECT_EQ(doorbells, kRuns);
  }

  const Subject subject{GetParam(), 7};
  uint64_t taken = 0, checked = 0, writes = 0, doorbells = 0;
};
INSTANTIATE_TEST_SUITE_P(Executor, RepeatedRun, testing::Values("reference", "vulkan"),
                         [](const auto& executor) { return std::string(executor.param); });

Program relu() {
  compiler::Graph graph = compiler::parse_graph("graph \"g\" opset 14 (%x: f32[64]) {\n %y = Relu(%x)\n return %y\n}");
  compiler::specialise(graph, {});
  return compiler::build(std::move(graph), compiler::find_target("k1-mini"));
}

// The same program without what runs on VE: whatever lies in the arena comes out.
Program copies() {
  const Program program = relu();
  ProgramContents contents;
  contents.target = program.target();
  contents.isa_version = program.isa_version();
  contents.regions.assign(program.regions().begin(), program.regions().end());
  contents.inputs.assign(program.inputs().begin(), program.inputs().end());
  contents.outputs.assign(program.outputs().begin(), program.outputs().end());
  contents.weights.assign(program.weights().begin(), program.weights().end());
  const auto commands = program.commands();
  for (size_t at = 0, bytes; at < commands.size(); at += bytes) {
    auto& header = *reinterpret_cast<const kawara_header*>(commands.data() + at);
    bytes = header.size16 * size_t{16};
    if (header.opcode != KAWARA_COMMAND_copy) continue;
    contents.commands.insert(contents.commands.end(), commands.begin() + static_cast<ptrdiff_t>(at),
                             commands.begin() + static_cast<ptrdiff_t>(at + bytes));
    std::ranges::fill(reinterpret_cast<kawara_header*>(contents.commands.data() + contents.commands.size() - bytes)->wait, 0u);
  }
  return Program(std::move(contents));
}

TEST_P(RepeatedRun, OfASessionTakesADoorbellAndNothingElse) {
  // The reference executor is the oracle, not the fast one: its loop nests take memory.
  const bool computes = std::string_view(GetParam()) != "reference";
  Session session(Device::open(subject.device()), computes ? relu() : copies());
  std::array<float, 64> x, y{};
  x.fill(3);
  const Bindings bindings{.inputs = {{"x", std::as_bytes(std::span(x))}}, .outputs = {{"y", std::as_writable_bytes(std::span(y))}}};
  count([&] { session.submit(bindings).wait(); });
  expect_nothing_but_doorbells();
  if (computes) {
    EXPECT_EQ(y[63], 3);
  }
}

TEST_P(RepeatedRun, OfSeveralThreadsTakesNoMore) {
  Session session(Device::open(subject.device()), copies(), {.slots = 2});
  // Lists have their length once as many runs were under way at once as ever will be; threads may never meet while they warm up.
  {
    std::array<float, 64> x{}, y{};
    const Bindings bindings{.inputs = {{"x", std::as_bytes(std::span(x))}}, .outputs = {{"y", std::as_writable_bytes(std::span(y))}}};
    for (unsigned i = 0; i < kWarmUp; ++i) {
      kawara::Run first = session.submit(bindings), second = session.submit(bindings);
      first.wait(), second.wait();
    }
  }
  std::atomic<unsigned> ready = 0;
  std::atomic<bool> counted = false;
  const auto work = [&](unsigned runs) {
    std::array<float, 64> x{}, y{};
    const Bindings bindings{.inputs = {{"x", std::as_bytes(std::span(x))}}, .outputs = {{"y", std::as_writable_bytes(std::span(y))}}};
    for (unsigned i = 0; i < kWarmUp; ++i) session.submit(bindings).wait();
    ++ready;
    while (ready < 3) std::this_thread::yield();
    for (unsigned i = 0; i < runs; ++i) session.submit(bindings).wait();
    ++ready;
    while (!counted) std::this_thread::yield();
  };
  std::thread first([&] { work(100); }), second([&] { work(100); });
  while (ready < 2) std::this_thread::yield();
  const auto driver = subject.driver();
  const auto before = driver->counters();
  const uint64_t allocated = allocations;
  ++ready;
  while (ready < 5) std::this_thread::yield();
  taken = allocations - allocated;
  const auto after = driver->counters();
  counted = true;
  first.join(), second.join();
  EXPECT_EQ(taken, 0u);
  EXPECT_EQ(after.register_writes - before.register_writes, 200u);
  EXPECT_EQ(after.commands_checked, before.commands_checked);
}

TEST_P(RepeatedRun, OfAJobTakesADoorbellAndNothingElse) {
  const Device device = Device::open(subject.device());
  const Buffer commands = device.allocate(4096, Memory::local);
  const auto nop = hw::encode(hw::blank<kawara_nop>());
  std::memcpy(commands.bytes().data(), nop.data(), nop.size());
  const DeviceJob job{.commands = &commands, .command_bytes = static_cast<uint32_t>(nop.size())};
  count([&] { device.submit(job).wait(); });
  expect_nothing_but_doorbells();
}

TEST_P(RepeatedRun, OfOtherCommandsIsCheckedAgain) {
  const Device device = Device::open(subject.device());
  const Buffer commands = device.allocate(4096, Memory::local);
  const DeviceJob job{.commands = &commands, .command_bytes = 32};
  auto nop = hw::blank<kawara_nop>();
  uint32_t id = 0;
  count([&] {
    nop.header.debug_id = ++id;
    std::memcpy(commands.bytes().data(), hw::encode(nop).data(), 32);
    device.submit(job).wait();
  });
  EXPECT_EQ(checked, kRuns);
  EXPECT_GE(taken, kRuns) << "this program counts";
}

// Many jobs in flight: the ring and the lists behind it have their full length.
TEST_P(RepeatedRun, OfManyJobsAtOnceTakesNoMemory) {
  const Device device = Device::open(subject.device());
  const Buffer commands = device.allocate(4096, Memory::local);
  const auto nop = hw::encode(hw::blank<kawara_nop>());
  std::memcpy(commands.bytes().data(), nop.data(), nop.size());
  const DeviceJob job{.commands = &commands, .command_bytes = static_cast<uint32_t>(nop.size())};
  std::vector<Fence> fences(300);
  const auto fill = [&] {
    for (Fence& fence : fences) fence = device.submit(job);
    for (const Fence& fence : fences) fence.wait();
  };
  // What is kept for jobs in flight grows with the most that there ever were: let all of them stand behind a long one.
  const Buffer long_commands = device.allocate(kLongBytes, Memory::local);
  for (size_t at = 0; at < kLongBytes; at += nop.size()) std::memcpy(long_commands.bytes().data() + at, nop.data(), nop.size());
  for (unsigned i = 0; i < 10; ++i) {
    const Fence long_one = device.submit({.commands = &long_commands, .command_bytes = kLongBytes});
    fill();
    long_one.wait();
  }
  count(fill);
  EXPECT_EQ(taken, 0u);
  EXPECT_EQ(checked, 0u);
}

}  // namespace
}  // namespace kawara::test
