// SPDX-License-Identifier: Apache-2.0
// Two queues that both have work share the vector engine by their weights, switching where segments end. The jobs themselves tell
// how far they were: each segment of one counts, and each segment of the other notes what it finds counted. So nothing is measured
// by a host's clock, and a share is one of the chip's cycles, as the records say them.
#include <bit>
#include <string>

#include "conformance/client.h"
#include "kawara/hw/text.h"

namespace kawara::conformance {
namespace {

using Shares = Conformance;
INSTANTIATE_TEST_SUITE_P(Node, Shares, testing::ValuesIn(subjects()), name_of);

constexpr uint32_t kSegments = 128;
constexpr uint32_t kPoints = 1024;  // of a segment: enough that a job takes much longer than to submit one
constexpr uint32_t kRowBytes = kPoints * sizeof(float);
constexpr int kAttempts = 50;

// Segment i writes i + 1 to each float of the row.
std::string counting_segment(uint32_t index) {
  return fmt::format(R"(
vector {{
  header {{ flags = {} }}
  section {{ extent = [{}], n_par = 1 }}
  output {{ data = 0:0x0, dtype = f32, n_coord = 1 }}
  coord {{ stride = 1, extent = {}, coef = [1] }}
  constants [{:#x}]
  phase {{ step = 2, after = 2, end = 2 }}
  max.f32 r0, c0, c0
  store.f32 s0, r0
}}
)",
                     KAWARA_HEADER_LIMIT_NONE | KAWARA_HEADER_SWITCH_POINT, kPoints, kPoints,
                     std::bit_cast<uint32_t>(static_cast<float>(index + 1)));
}

// Segment i copies that row to row i of its own.
std::string noting_segment(uint32_t index) {
  return fmt::format(R"(
vector {{
  header {{ flags = {} }}
  section {{ extent = [{}], n_par = 1 }}
  input {{ data = 0:0x0, dtype = f32, n_coord = 1 }}
  output {{ data = 1:{:#x}, dtype = f32, n_coord = 1 }}
  coord {{ stride = 1, extent = {}, coef = [1] }}
  phase {{ step = 2, after = 2, end = 2 }}
  load.f32 r0, s0
  store.f32 s1, r0
}}
)",
                     KAWARA_HEADER_LIMIT_NONE | KAWARA_HEADER_SWITCH_POINT, kPoints, uint64_t{index} * kRowBytes, kPoints);
}

std::vector<std::byte> job_of(std::string (*segment)(uint32_t)) {
  std::string text;
  for (uint32_t i = 0; i < kSegments; ++i) text += segment(i);
  return hw::assemble(text);
}

struct Pair {
  Priority counting, noting;
  uint32_t ratio;  // of the noting queue's weight to the counting one's
};

void expect_shares(Client& client, const Pair& pair) {
  const TestBuffer row = client.buffer(Memory::local, kRowBytes), notes = client.buffer(Memory::local, kSegments * kRowBytes);
  const kawara_region written = Client::region(row, KAWARA_REGION_WRITE), read = Client::region(row, KAWARA_REGION_READ);
  const TestJob counting = client.job(job_of(counting_segment), {written});
  const TestJob noting = client.job(job_of(noting_segment), {read, Client::region(notes, KAWARA_REGION_WRITE)});
  const QueueId counts = client.node->queue_create(client.vm, pair.counting, 10s),
                notes_down = client.node->queue_create(client.vm, pair.noting, 10s);
  const auto noted = [&](uint32_t segment) { return static_cast<uint32_t>(notes.as<float>()[size_t{segment} * kPoints]); };
  // One that was over before the other began, because the host was busy elsewhere meanwhile, shows nothing.
  for (int attempt = 0;; ++attempt) {
    ASSERT_LT(attempt, kAttempts) << "the counting job never outlasted the other";
    std::ranges::fill(row.mapping.bytes(), std::byte{0});
    client.submit(counts, {&counting.job, 1});
    const Point end = client.submit(notes_down, {&noting.job, 1});
    ASSERT_TRUE(client.wait(end));
    const Point all = client.submit(counts, {});
    ASSERT_TRUE(client.wait(all));
    for (const QueueId queue : {counts, notes_down}) ASSERT_EQ(client.node->queue_state(queue).kind, QueueState::Kind::ready);
    if (noted(kSegments - 1) < kSegments) break;
  }
  const double counting_cycles = static_cast<double>(counting.result().cycles) / kSegments;  // of a segment
  const double noting_cycles = static_cast<double>(noting.result().cycles) / kSegments;
  const double first = noted(0), last = noted(kSegments - 1);
  // At either end of what was seen, the queue that is behind may be so by one segment.
  EXPECT_NEAR((kSegments - 1) * noting_cycles, pair.ratio * (last - first) * counting_cycles,
              2 * (noting_cycles + pair.ratio * counting_cycles))
      << first << " to " << last << " of segments of " << counting_cycles << " cycles, beside " << kSegments << " of " << noting_cycles;
  for (uint32_t i = 1; i < kSegments; ++i) {
    ASSERT_GE(noted(i), noted(i - 1)) << "a segment is not run twice";
    for (uint32_t point = 1; point < kPoints; ++point)
      ASSERT_EQ(notes.as<float>()[size_t{i} * kPoints + point], noted(i)) << "segments do not overlap";
  }
}

TEST_P(Shares, OfTheChipAreByWeight) {
  for (const Pair& pair :
       {Pair{Priority::low, Priority::high, 4}, Pair{Priority::low, Priority::normal, 2}, Pair{Priority::normal, Priority::high, 2}}) {
    SCOPED_TRACE(testing::Message() << "one part to " << pair.ratio);
    Client client(open());
    expect_shares(client, pair);
  }
}

}  // namespace
}  // namespace kawara::conformance
