// SPDX-License-Identifier: Apache-2.0
// Queues, and what a submission may say.
#include "conformance/client.h"

namespace kawara::conformance {
namespace {

using Queues = Conformance;
INSTANTIATE_TEST_SUITE_P(Node, Queues, testing::ValuesIn(subjects()), name_of);

TEST_P(Queues, RefusesQueuesThatBreakARule) {
  Client client(open());
  const auto create = [&](VmId vm, Priority priority, std::chrono::milliseconds timeout) {
    return code_of([&] { client.node->queue_create(vm, priority, timeout); });
  };
  EXPECT_EQ(create(client.vm, Priority::low, 1ms), "");
  EXPECT_EQ(create(client.vm, Priority::high, 600s), "");
  EXPECT_EQ(create(client.vm, Priority{3}, 1s), "invalid_argument");
  EXPECT_EQ(create(client.vm, Priority::normal, 0ms), "invalid_argument");
  EXPECT_EQ(create(client.vm, Priority::normal, 601s), "invalid_argument");
  EXPECT_EQ(create(VmId{99}, Priority::normal, 1s), "not_found");
}

TEST_P(Queues, AClientHasAtMost256Queues) {
  Client client(open());
  for (int i = 1; i < 256; ++i) client.node->queue_create(client.vm, Priority::normal, 1s);
  EXPECT_EQ(code_of([&] { client.node->queue_create(client.vm, Priority::normal, 1s); }), "out_of_memory");
}

TEST_P(Queues, RefusesJobsThatBreakARule) {
  Client client(open());
  const TestBuffer buffer = client.buffer(Memory::system, kPage);
  const TestJob good = client.copy_job(buffer, client.buffer(Memory::system, kPage), 16);
  const auto refused = [&](auto change) {
    NodeJob job = good.job;
    change(job);
    return code_of([&] { client.submit(client.queue, {&job, 1}); });
  };
  EXPECT_EQ(refused([](NodeJob& job) { job.commands = DeviceAddress{8}; }), "invalid_argument");
  EXPECT_EQ(refused([](NodeJob& job) { job.commands = DeviceAddress{(uint64_t{1} << 39) - 16}; }), "invalid_argument");
  EXPECT_EQ(refused([](NodeJob& job) { job.commands = DeviceAddress{0 - uint64_t{16}}; }), "invalid_argument");
  EXPECT_EQ(refused([](NodeJob& job) { job.command_bytes = 24; }), "invalid_argument");
  EXPECT_EQ(refused([](NodeJob& job) { job.command_bytes = (1u << 24) + 16; }), "invalid_argument");
  EXPECT_EQ(refused([](NodeJob& job) { job.regions = DeviceAddress{16}; }), "invalid_argument");
  EXPECT_EQ(refused([](NodeJob& job) { job.region_count = 4097; }), "invalid_argument");
  EXPECT_EQ(refused([](NodeJob& job) { job.record = DeviceAddress{32}; }), "invalid_argument");
  EXPECT_EQ(client.state().submitted, 0u);
  EXPECT_EQ(refused([](NodeJob&) {}), "");
}

TEST_P(Queues, RefusesSubmissionsThatBreakARule) {
  Client client(open());
  const auto submit = [&](QueueId queue, std::vector<Point> waits, std::vector<Point> signals) {
    return code_of([&] { client.node->submit(queue, {}, waits, signals); });
  };
  const TimelineId line = client.node->timeline_create();
  EXPECT_EQ(submit(QueueId{99}, {}, {{line, 1}}), "not_found");
  EXPECT_EQ(submit(client.queue, {{TimelineId{99}, 1}}, {}), "not_found");
  EXPECT_EQ(submit(client.queue, {}, {{TimelineId{99}, 1}}), "not_found");
  EXPECT_EQ(submit(client.queue, {}, {{line, 0}}), "invalid_argument");
  EXPECT_EQ(submit(client.queue, {{line, 1}}, {}), "invalid_argument") << "nobody submitted that point";
  EXPECT_EQ(submit(client.queue, {{line, 1}}, {{line, 1}}), "invalid_argument") << "not even this submission";
  EXPECT_EQ(submit(client.queue, {}, {{line, 5}}), "");
  EXPECT_EQ(submit(client.queue, {}, {{line, 5}}), "invalid_argument") << "points only grow";
  EXPECT_EQ(submit(client.queue, {}, {{line, 6}, {line, 6}}), "invalid_argument");
  EXPECT_EQ(submit(client.queue, {{line, 5}}, {{line, 6}, {line, 7}}), "");
  EXPECT_EQ(submit(client.queue, std::vector<Point>(1025, {line, 5}), {}), "invalid_argument");
  EXPECT_EQ(code_of([&] { client.node->submit(client.queue, std::vector<NodeJob>(1025), {}, {}); }), "invalid_argument");
}

TEST_P(Queues, CountsItsJobs) {
  Client client(open());
  const TestBuffer from = client.buffer(Memory::system, kPage), to = client.buffer(Memory::system, kPage);
  const TestJob job = client.copy_job(from, to, 16);
  const std::vector<NodeJob> jobs(3, job.job);
  ASSERT_TRUE(client.wait(client.submit(client.queue, jobs)));
  EXPECT_EQ(client.state().submitted, 3u);
  EXPECT_EQ(client.state().completed, 3u);
  EXPECT_EQ(client.state().kind, QueueState::Kind::ready);
}

TEST_P(Queues, TakeMoreJobsThanTheirRingHolds) {
  Client client(open());
  const TestBuffer from = client.buffer(Memory::system, kPage), to = client.buffer(Memory::system, kPage);
  const TestJob job = client.copy_job(from, to, 16);
  const std::vector<NodeJob> jobs(1000, job.job);
  const Point first = client.submit(client.queue, jobs);
  const Point second = client.submit(client.queue, jobs);
  EXPECT_TRUE(client.wait(second));
  EXPECT_TRUE(client.wait(first, Deadline::min()));
  EXPECT_EQ(client.state().completed, 2000u);
}

TEST_P(Queues, AreGoneOnceDestroyed) {
  Client client(open());
  client.node->queue_destroy(client.queue);
  EXPECT_EQ(code_of([&] { client.node->queue_destroy(client.queue); }), "not_found");
  EXPECT_EQ(code_of([&] { client.node->queue_state(client.queue); }), "not_found");
  EXPECT_EQ(code_of([&] { client.submit(client.queue, {}); }), "not_found");
}

TEST_P(Queues, ReachTheirPointsWhenDestroyed) {
  Client client(open());
  const TestBuffer from = client.buffer(Memory::system, kPage), to = client.buffer(Memory::system, kPage);
  const std::vector<NodeJob> jobs(1000, client.copy_job(from, to, 16).job);
  const Point end = client.submit(client.queue, jobs);
  client.node->queue_destroy(client.queue);
  EXPECT_TRUE(client.wait(end));
}

}  // namespace
}  // namespace kawara::conformance
