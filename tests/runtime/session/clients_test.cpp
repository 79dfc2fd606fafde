// SPDX-License-Identifier: Apache-2.0
// Many threads, sessions and devices on one chip; faults of a neighbour; ends in any order; forks; signals.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "build.h"
#include "emit.h"
#include "graph_text.h"
#include "kawara/error.h"
#include "kawara/hw/encode.h"
#include "kawara/inference_session.h"
#include "kawara/session.h"
#include "specialise.h"

namespace kawara::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kDevice = "emulator:reference,config=k1-mini";
constexpr size_t kValues = 256;
using Values = std::array<float, kValues>;

Program program_of(const std::string& text) {
  compiler::Graph graph = compiler::parse_graph(text);
  compiler::specialise(graph, {});
  return compiler::build(std::move(graph), compiler::find_target("k1-mini"));
}
Program relu() { return program_of("graph \"g\" opset 14 (%x: f32[256]) {\n %y = Relu(%x)\n return %y\n}"); }
Program negation() { return program_of("graph \"g\" opset 14 (%x: f32[256]) {\n %y = Neg(%x)\n return %y\n}"); }
// Takes the reference executor about a second.
Program slow() { return program_of("graph \"g\" opset 14 (%x: f32[600,600]) {\n %y = MatMul(%x, %x)\n return %y\n}"); }

struct SlowRun {
  std::vector<float> x = std::vector<float>(600 * 600, 1), y = std::vector<float>(600 * 600);
  Bindings bindings() { return {.inputs = {{"x", std::as_bytes(std::span(x))}}, .outputs = {{"y", std::as_writable_bytes(std::span(y))}}}; }
};

Values values(unsigned seed) {
  Values result;
  for (size_t i = 0; i < kValues; ++i) result[i] = static_cast<float>(static_cast<int>((i * 37 + seed * 101) % 211) - 105);
  return result;
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return std::string(name(error.code())) + ": " + error.what();
  }
  return "";
}

// Runs the session on values of its own and compares every output.
void check_runs(Session& session, unsigned seed, unsigned count, float (*expected)(float)) {
  for (unsigned i = 0; i < count; ++i) {
    const Values x = values(seed + i * 1000);
    Values y;
    y.fill(-1);
    session.submit({.inputs = {{"x", std::as_bytes(std::span(x))}}, .outputs = {{"y", std::as_writable_bytes(std::span(y))}}}).wait();
    for (size_t k = 0; k < kValues; ++k) ASSERT_EQ(y[k], expected(x[k])) << "seed " << seed << ", run " << i << ", value " << k;
  }
}
float relu_of(float x) { return x > 0 ? x : 0; }
float negation_of(float x) { return -x; }

void in_threads(unsigned count, const std::function<void(unsigned)>& body) {
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; ++i) threads.emplace_back([&body, i] { body(i); });
  for (std::thread& thread : threads) thread.join();
}

class SessionThreads : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Slots, SessionThreads, testing::Values(1, 4));

TEST_P(SessionThreads, EachGetItsOwnOutputs) {
  Session session(Device::open(kDevice), relu(), {.slots = GetParam()});
  in_threads(8, [&](unsigned thread) { check_runs(session, thread, 40, relu_of); });
}

TEST(Sessions, OfOneDeviceRunSideBySide) {
  const Device device = Device::open(kDevice);
  Session first(device, relu(), {.slots = 2}), second(device, negation(), {.slots = 2}), third(device, relu());
  in_threads(6, [&](unsigned thread) {
    if (thread % 3 == 0) check_runs(first, thread, 40, relu_of);
    if (thread % 3 == 1) check_runs(second, thread, 40, negation_of);
    if (thread % 3 == 2) check_runs(third, thread, 40, relu_of);
  });
}

TEST(Sessions, OfSeveralDevicesShareAChip) {
  in_threads(6, [&](unsigned thread) {
    for (unsigned i = 0; i < 3; ++i) {
      Session session(Device::open(kDevice), thread % 2 ? relu() : negation(), {.slots = 2});
      check_runs(session, thread, 15, thread % 2 ? relu_of : negation_of);
    }
  });
}

// Refused by the chip, each time: its queue is reset, and whoever shares the ring has its jobs written again.
TEST(Sessions, ANeighboursFaultsHurtNobody) {
  constexpr unsigned kFaults = 20;
  std::atomic<bool> over = false;
  unsigned faults = 0;
  std::thread neighbour([&] {
    const Device device = Device::open(kDevice);
    const Buffer commands = device.allocate(4096, Memory::local);
    auto nop = hw::blank<kawara_nop>();
    nop.header.engine = 9;
    std::memcpy(commands.bytes().data(), &nop, sizeof nop);
    const DeviceJob job{.commands = &commands, .command_bytes = sizeof nop};
    for (unsigned i = 0; i < kFaults; ++i) {
      if (error_of([&] { device.submit(job).wait(); }).starts_with("device_fault")) ++faults;
      device.renew_queue();
    }
    over = true;
  });
  // More devices than rings of their class, so that some share the neighbour's.
  in_threads(5, [&](unsigned thread) {
    Session session(Device::open(kDevice), relu(), {.slots = 2});
    while (!over) check_runs(session, thread, 5, relu_of);
  });
  neighbour.join();
  EXPECT_EQ(faults, kFaults);
}

TEST(OutOfMemory, SaysWhatForAndWhatThereIs) {
  const Device device = Device::open("emulator:reference,config=k1-mini,3");
  const uint64_t all = device.local_bytes();
  const Buffer most = device.allocate(all - (1 << 20), Memory::local);
  // Weights of 4 MiB; then little weights and an arena of 4 MiB.
  ProgramContents contents;
  contents.target = "k1-mini";
  contents.isa_version = device.isa_version();
  contents.weights.resize(4 << 20);
  contents.regions = {{.role = ProgramRegion::Role::weights, .size_bytes = 4 << 20, .readable = true}};
  EXPECT_THAT(error_of([&] { Session(device, Program(contents)); }),
              AllOf(HasSubstr("out_of_memory: the weights: 4194304 bytes of local memory"),
                    HasSubstr(std::to_string(all) + " bytes, of which " + std::to_string(device.local_free_bytes()) + " are free")));
  contents.weights.clear();
  contents.regions = {{.role = ProgramRegion::Role::arena, .size_bytes = 4 << 20, .readable = true, .writable = true}};
  EXPECT_THAT(error_of([&] { Session(device, Program(contents)); }), HasSubstr("the arena of intermediate results: 4194304 bytes"));
  EXPECT_EQ(device.local_free_bytes(), uint64_t{1} << 20) << "what failed gave everything back";
}

TEST(Run, ThatIsDroppedFreesItsSlotWhenTheChipHasEndedIt) {
  Session session(Device::open(kDevice), slow());
  SlowRun first, second;
  const auto begin = std::chrono::steady_clock::now();
  {
    kawara::Run run = session.submit(first.bindings());
  }
  const auto dropped = std::chrono::steady_clock::now() - begin;
  EXPECT_FALSE(session.submit(second.bindings(), 1ms).has_value()) << "the chip is at it still";
  session.submit(second.bindings()).wait();
  EXPECT_LT(dropped, (std::chrono::steady_clock::now() - begin) / 2) << "nobody waited for it";
  EXPECT_EQ(first.y[0], 0) << "its outputs are lost";
  EXPECT_EQ(second.y[0], 600);
}

TEST(Session, EndsWhileItsRunIsDroppedAndUnderWay) {
  SlowRun slow_run;
  Session session(Device::open(kDevice), slow());
  session.submit(slow_run.bindings());
}

struct Enough {};

// Left at its first look; gives the time from there to the end of the session.
std::chrono::nanoseconds end_of_a_session_whose_run_is_left(const char* device) {
  std::vector<float> x(1200 * 1200, 1);
  const std::vector<InputTensor> inputs = {{.name = "x", .dtype = DType::f32, .shape = {1200, 1200}, .bytes = std::as_bytes(std::span(x))}};
  InferenceSession session(program_of("graph \"g\" opset 14 (%x: f32[1200,1200]) {\n %y = MatMul(%x, %x)\n return %y\n}"), device);
  EXPECT_THROW(session.run({}, inputs, [] { throw Enough(); }), Enough);
  const auto begin = std::chrono::steady_clock::now();
  {
    InferenceSession ends(std::move(session));
  }
  return std::chrono::steady_clock::now() - begin;
}

// A run takes the reference executor about half a second.
TEST(InferenceSession, EndsAtOnceWhenItsRunWasLeft) {
  EXPECT_LT(end_of_a_session_whose_run_is_left(kDevice), 300ms) << "the chip's last client ends the chip";
  const Device beside = Device::open(kDevice);
  Session session(beside, relu());
  const uint64_t free = beside.local_free_bytes();
  EXPECT_LT(end_of_a_session_whose_run_is_left(kDevice), 300ms) << "the chip works on for the others, and nobody waits";
  check_runs(session, 3, 5, relu_of);
  const auto limit = std::chrono::steady_clock::now() + 60s;
  while (beside.local_free_bytes() < free && std::chrono::steady_clock::now() < limit) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(beside.local_free_bytes(), free) << "what the run used is freed when it has ended";
}

TEST(Session, OutlivesEveryOtherCopyOfItsDevice) {
  auto device = std::make_unique<Device>(Device::open(kDevice));
  Session session(*device, relu());
  device.reset();
  check_runs(session, 1, 3, relu_of);
}

// Exit status of a child that runs `body`; -1 when it crashed or hung.
int in_child(const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(body() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Fork, TheChildGetsAnErrorFromEveryClassAndItsDestructorsDoNothing) {
  auto device = std::make_unique<Device>(Device::open(kDevice));
  auto session = std::make_unique<Session>(*device, slow());
  auto buffer = std::make_unique<Buffer>(device->allocate(4096, Memory::local));
  SlowRun slow_run;
  auto run = std::make_unique<kawara::Run>(session->submit(slow_run.bindings()));
  auto dropped_session = std::make_unique<Session>(*device, slow());
  dropped_session->submit(slow_run.bindings());
  const auto forked = [](const std::function<void()>& call) { return error_of(call).starts_with("forked"); };
  EXPECT_EQ(in_child([&] {
              SlowRun other;
              const bool well = forked([&] { session->submit(other.bindings()); }) && forked([&] { run->wait(); }) &&
                                forked([&] { run->wait(1ms); }) && forked([&] { device->allocate(1, Memory::system); }) &&
                                forked([&] { device->renew_queue(); }) && forked([&] { Session(*device, relu()); }) &&
                                forked([&] { device->local_free_bytes(); });
              run.reset(), session.reset(), dropped_session.reset(), buffer.reset(), device.reset();
              return well;
            }),
            0);
  run->wait();
  EXPECT_EQ(slow_run.y[5], 600);
}

TEST(Fork, ABufferOfTheParentSaysSoInsteadOfShowingPagesThatAreNotThere) {
  const Device device = Device::open(kDevice);
  const Buffer buffer = device.allocate(4096, Memory::system);
  buffer.bytes()[0] = std::byte{7};
  EXPECT_EQ(
      in_child([&] {
        return error_of([&] { buffer.bytes(); }).starts_with("forked: device 'emulator:reference,config=k1-mini' was opened by process") &&
               buffer.size_bytes() == 4096;
      }),
      0);
  EXPECT_EQ(buffer.bytes()[0], std::byte{7});
}

// The child has copies of everything, of locks that are held and of waits that nobody is at any more, and goes through exit().
TEST(Fork, TheChildEndsPlainlyWhateverThreadsOfTheParentAreAt) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers' own ends expect the threads that a forked child does not have";
#endif
  auto session = std::make_unique<Session>(Device::open(kDevice), slow());
  auto inference = std::make_unique<InferenceSession>(relu(), kDevice);
  // A run that nobody holds has the slot; the threads wait for its end until after the forks.
  SlowRun dropped;
  std::array<SlowRun, 4> runs;
  std::vector<std::thread> threads;
  session->submit(dropped.bindings());
  for (SlowRun& run : runs) threads.emplace_back([&] { session->submit(run.bindings()).wait(); });
  std::this_thread::sleep_for(5ms);
  for (const bool destroys : {true, false}) {
    EXPECT_EQ(in_child([&] {
                const Values x = values(1);
                const std::vector<InputTensor> inputs = {
                    {.name = "x", .dtype = DType::f32, .shape = {kValues}, .bytes = std::as_bytes(std::span(x))}};
                const bool well = error_of([&] { inference->run({}, inputs); }).starts_with("forked: the session was opened by process") &&
                                  error_of([&] { inference->program(); }).starts_with("forked") && inference->inputs().size() == 1;
                if (destroys) {
                  *inference = InferenceSession(std::move(*inference));
                  session.reset(), inference.reset();
                }
                std::exit(well ? 0 : 1);
                return false;
              }),
              0);
  }
  for (std::thread& thread : threads) thread.join();
  for (const SlowRun& run : runs) EXPECT_EQ(run.y[3], 600);
}

void note_signal(int) {}

// A handler without SA_RESTART: no wait ends early, none fails.
TEST(Signal, DuringARunChangesNothing) {
  struct sigaction action{}, before{};
  action.sa_handler = note_signal;
  sigaction(SIGINT, &action, &before);
  const pthread_t self = pthread_self();
  std::atomic<bool> stop = false;
  std::thread sender([&] {
    while (!stop) {
      pthread_kill(self, SIGINT);
      std::this_thread::sleep_for(200us);
    }
  });
  {
    Session session(Device::open(kDevice), relu());
    check_runs(session, 1, 100, relu_of);
    Session long_one(Device::open(kDevice), slow());
    SlowRun run;
    long_one.submit(run.bindings()).wait();
    EXPECT_EQ(run.y[7], 600);
  }
  stop = true;
  sender.join();
  sigaction(SIGINT, &before, nullptr);
}

}  // namespace
}  // namespace kawara::test
