// SPDX-License-Identifier: Apache-2.0
// An engine hangs under one session's job while others compute on the same chip: who suffers, who does not, and what is told.
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "build.h"
#include "emit.h"
#include "emulator/emulator_node.h"
#include "graph_text.h"
#include "kawara/error.h"
#include "kawara/inference_session.h"
#include "specialise.h"

namespace kawara::test {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

// A chip of this test's own.
constexpr uint32_t kChip = 41;
constexpr const char* kDevice = "emulator:reference,config=k1-mini,41";
constexpr size_t kValues = 256;
// Copy in, work, copy out are three commands; the guilty program has more, and hangs at one that the others do not have.
constexpr uint32_t kHangsAt = 3;
// More than the rings of their class, so that some share the guilty one's.
constexpr unsigned kInnocents = 5;

using Values = std::array<float, kValues>;

Program program_of(const std::string& body) {
  compiler::Graph graph = compiler::parse_graph("graph \"g\" opset 14 (%x: f32[256]) {\n" + body + " return %y\n}");
  compiler::specialise(graph, {});
  return compiler::build(std::move(graph), compiler::find_target("k1-mini"));
}
Program negation() { return program_of(" %y = Neg(%x)\n"); }
// A sum is a command of its own.
Program differences_from_the_sum() {
  return program_of(" %s = ReduceSum(%x) {keepdims = 1, noop_with_empty_axes = 0}\n %y = Sub(%x, %s)\n");
}

Values values(unsigned seed) {
  Values result;
  for (size_t i = 0; i < kValues; ++i) result[i] = static_cast<float>((i * 37 + seed * 101) % 211) - 105;
  return result;
}

Values run(InferenceSession& session, const Values& x) {
  const auto outputs = session.run({}, {{.name = "x", .dtype = DType::f32, .shape = {kValues}, .bytes = std::as_bytes(std::span(x))}});
  Values y;
  std::memcpy(y.data(), outputs.at(0).bytes.data(), sizeof y);
  return y;
}

// Small whole numbers: their sums are exact in any order.
Values expected_differences(const Values& x) {
  float sum = 0;
  for (const float value : x) sum += value;
  Values result;
  for (size_t i = 0; i < kValues; ++i) result[i] = x[i] - sum;
  return result;
}

TEST(Recovery, AHangEndsItsRunAloneAndItsSessionWorksAgain) {
  const auto node = emulator::open_emulator({.config = "k1-mini", .executor = "reference", .index = kChip});
  const VmId vm = node->vm_create();
  // The first queue of an unused chip, and then the guilty session's, which takes its place.
  const QueueId place = node->queue_create(vm, Priority::normal, 10s);
  emulator::inject_hang(*node, place, kHangsAt);
  node->queue_destroy(place);
  InferenceSession guilty(differences_from_the_sum(), kDevice);

  std::atomic<bool> over = false;
  std::array<unsigned, kInnocents> runs{};
  std::array<std::string, kInnocents> wrong{};
  std::vector<std::thread> innocents;
  for (unsigned i = 0; i < kInnocents; ++i) {
    innocents.emplace_back([&, i] {
      try {
        InferenceSession session(negation(), kDevice);
        while (!over || runs[i] < 10) {
          const Values x = values(i * 1000 + runs[i]), y = run(session, x);
          for (size_t k = 0; k < kValues; ++k)
            if (y[k] != -x[k]) wrong[i] = "a wrong value";
          ++runs[i];
        }
      } catch (const Error& error) {
        wrong[i] = error.what();
      }
    });
  }

  const Values x = values(7);
  const auto begin = std::chrono::steady_clock::now();
  try {
    run(guilty, x);
    ADD_FAILURE() << "nothing hung";
  } catch (const Error& error) {
    EXPECT_EQ(name(error.code()), "device_fault");
    EXPECT_THAT(error.what(), HasSubstr("engine_hang"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s) << "found by the driver's watch, not by the queue's timeout of a minute";
  for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(run(guilty, x), expected_differences(x)) << "a new queue has taken the dead one's place";
  over = true;
  for (std::thread& innocent : innocents) innocent.join();
  for (unsigned i = 0; i < kInnocents; ++i) EXPECT_EQ(wrong[i], "") << "session " << i << " of " << runs[i] << " runs";
}

}  // namespace
}  // namespace kawara::test
