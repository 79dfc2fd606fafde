// SPDX-License-Identifier: Apache-2.0
// Faults and hangs: who suffers, who does not, and what is told.
#include <cstddef>

#include "conformance/client.h"

namespace kawara::conformance {
namespace {

using Recovery = Conformance;
INSTANTIATE_TEST_SUITE_P(Node, Recovery, testing::ValuesIn(subjects()), name_of);

// Two queues of one client share a ring at the latest when there are more of them than rings.
std::vector<QueueId> many_queues(Client& client) {
  std::vector<QueueId> queues{client.queue};
  for (int i = 0; i < 8; ++i) queues.push_back(client.node->queue_create(client.vm, Priority::normal, 10s));
  return queues;
}

TEST_P(Recovery, AFaultNamesCommandAndField) {
  Client client(open());
  const TestBuffer from = client.buffer(Memory::system, kPage), to = client.buffer(Memory::system, kPage);
  const TestJob job = client.bad_job(from, to);
  ASSERT_TRUE(client.run(job)) << "the point of a job that failed is reached";
  EXPECT_FALSE(job.done());
  const QueueState state = client.state();
  EXPECT_EQ(state.kind, QueueState::Kind::faulted);
  EXPECT_EQ(state.completed, 0u);
  EXPECT_EQ(state.fault.code, static_cast<uint32_t>(KAWARA_FAULT_bad_command));
  EXPECT_EQ(state.fault.command, 0u);
  EXPECT_EQ(state.fault.field, offsetof(kawara_copy, dtype));
  EXPECT_EQ(state.fault.debug_id, 7u);
  EXPECT_EQ(state.fault.tag, job.job.tag);
}

TEST_P(Recovery, ABadCommandInTheMiddleStopsTheWholeJob) {
  Client client(open());
  const TestBuffer in = client.buffer(Memory::system, kPage), out = client.buffer(Memory::system, kPage);
  const TestJob job = client.relu_job(in, out);
  auto* section = reinterpret_cast<kawara_section*>(job.commands.mapping.bytes().data() + sizeof(kawara_copy) + sizeof(kawara_vector));
  section->n_phase = 9;
  ASSERT_TRUE(client.run(job));
  EXPECT_FALSE(job.done());
  EXPECT_EQ(client.state().fault.code, static_cast<uint32_t>(KAWARA_FAULT_bad_command));
  EXPECT_EQ(client.state().fault.command, sizeof(kawara_copy));
  EXPECT_EQ(client.state().fault.debug_id, 8u);
}

TEST_P(Recovery, AnUnboundAddressIsAPageFault) {
  Client client(open());
  const TestBuffer from = client.buffer(Memory::system, kPage), to = client.buffer(Memory::system, kPage);
  const TestJob job = client.copy_job(from, to, 16);
  client.unbind(from);
  ASSERT_TRUE(client.run(job));
  EXPECT_EQ(client.state().fault.code, static_cast<uint32_t>(KAWARA_FAULT_page_fault));
  EXPECT_EQ(client.state().fault.address, from.address);
}

TEST_P(Recovery, AReadOnlyBindingIsNotWritten) {
  Client client(open());
  const TestBuffer from = client.buffer(Memory::system, kPage), to = client.buffer(Memory::system, kPage);
  from.as<uint32_t>()[0] = 1;
  client.unbind(to);
  const BindOp read_only{.bo = to.bo, .address = DeviceAddress{to.address}, .size_bytes = to.size, .read_only = true};
  client.node->bind(client.vm, {&read_only, 1});
  ASSERT_TRUE(client.run(client.copy_job(from, to, 16)));
  EXPECT_EQ(client.state().fault.code, static_cast<uint32_t>(KAWARA_FAULT_read_only));
  EXPECT_EQ(to.as<uint32_t>()[0], 0u);
}

TEST_P(Recovery, AFaultedQueueIsDeadAndOthersWork) {
  Client client(open());
  const TestBuffer from = client.buffer(Memory::system, kPage), to = client.buffer(Memory::system, kPage);
  const TestJob bad = client.bad_job(from, to), good = client.copy_job(from, to, 16);
  ASSERT_TRUE(client.run(bad));
  EXPECT_EQ(code_of([&] { client.submit(good); }), "queue_dead");
  const QueueId other = client.node->queue_create(client.vm, Priority::normal, 10s);
  from.as<uint32_t>()[0] = 5;
  ASSERT_TRUE(client.wait(client.submit(other, {&good.job, 1})));
  EXPECT_EQ(to.as<uint32_t>()[0], 5u);
  EXPECT_EQ(client.node->queue_state(other).kind, QueueState::Kind::ready);
}

TEST_P(Recovery, JobsBehindAFaultAreCancelledAndTheirPointsReached) {
  Client client(open());
  const TestBuffer from = client.buffer(Memory::system, kPage), to = client.buffer(Memory::system, kPage);
  const TestJob bad = client.bad_job(from, to), good = client.copy_job(from, to, 16);
  from.as<uint32_t>()[0] = 5;
  std::vector<NodeJob> jobs(500, good.job);
  jobs[0] = bad.job;
  const Point end = client.submit(client.queue, jobs);
  ASSERT_TRUE(client.wait(end));
  EXPECT_EQ(to.as<uint32_t>()[0], 0u);
  EXPECT_EQ(client.state().completed, 0u);
  EXPECT_EQ(client.state().fault.tag, bad.job.tag);
}

TEST_P(Recovery, InnocentJobsInTheSameRingRunOnceAndRight) {
  Client client(open());
  const std::vector<QueueId> queues = many_queues(client);
  const TestBuffer from = client.buffer(Memory::system, kPage);
  from.as<uint32_t>()[0] = 9;
  const TestJob bad = client.bad_job(from, client.buffer(Memory::system, kPage));
  std::vector<TestBuffer> targets;
  std::vector<TestJob> jobs;
  std::vector<Point> ends{client.submit(bad)};
  for (const QueueId queue : queues) {
    if (queue == client.queue) continue;
    for (int i = 0; i < 10; ++i) {
      targets.push_back(client.buffer(Memory::system, kPage));
      jobs.push_back(client.copy_job(from, targets.back(), 16));
      ends.push_back(client.submit(queue, {&jobs.back().job, 1}));
    }
  }
  ASSERT_TRUE(client.node->wait(ends, soon(), true));
  for (size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_TRUE(jobs[i].done());
    EXPECT_EQ(targets[i].as<uint32_t>()[0], 9u);
  }
  for (const QueueId queue : queues) {
    EXPECT_EQ(client.node->queue_state(queue).completed, queue == client.queue ? 0u : 10u);
  }
}

TEST_P(Recovery, AHangEndsItsQueueAlone) {
  Client client(open());
  const std::vector<QueueId> queues = many_queues(client);
  const TestBuffer from = client.buffer(Memory::system, kPage);
  from.as<uint32_t>()[0] = 3;
  const TestJob hangs = client.copy_job(from, client.buffer(Memory::system, kPage), 16);
  GetParam().inject_hang(*client.node, client.queue, 0);
  std::vector<TestBuffer> targets;
  std::vector<TestJob> jobs;
  std::vector<Point> ends{client.submit(hangs)};
  for (const QueueId queue : queues) {
    if (queue == client.queue) continue;
    targets.push_back(client.buffer(Memory::system, kPage));
    jobs.push_back(client.copy_job(from, targets.back(), 16));
    ends.push_back(client.submit(queue, {&jobs.back().job, 1}));
  }
  ASSERT_TRUE(client.node->wait(ends, soon(), true));
  EXPECT_EQ(client.state().kind, QueueState::Kind::timed_out);
  EXPECT_EQ(client.state().fault.code, static_cast<uint32_t>(KAWARA_FAULT_engine_hang));
  EXPECT_EQ(client.state().fault.tag, hangs.job.tag);
  EXPECT_FALSE(hangs.done());
  for (size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_TRUE(jobs[i].done());
    EXPECT_EQ(targets[i].as<uint32_t>()[0], 3u);
  }
}

TEST_P(Recovery, AWaitForAFailedJobIsOver) {
  Client client(open());
  const TestBuffer from = client.buffer(Memory::system, kPage), to = client.buffer(Memory::system, kPage);
  const TestJob bad = client.bad_job(from, to), good = client.copy_job(from, to, 16);
  const QueueId other = client.node->queue_create(client.vm, Priority::normal, 10s);
  const Point failed = client.submit(bad);
  ASSERT_TRUE(client.wait(client.submit(other, {&good.job, 1}, {&failed, 1})));
  EXPECT_TRUE(good.done());
}

TEST_P(Recovery, MemoryOfADeadQueueIsUnboundAndFreed) {
  Client client(open());
  const uint64_t free = client.node->info().local_free_bytes;
  {
    TestBuffer from = client.buffer(Memory::local, kPage), to = client.buffer(Memory::local, kPage);
    const TestJob bad = client.bad_job(from, to);
    ASSERT_TRUE(client.run(bad));
    for (const TestBuffer* buffer : std::initializer_list<const TestBuffer*>{&from, &to, &bad.commands}) {
      client.unbind(*buffer);
      client.node->bo_close(buffer->bo);
    }
  }
  EXPECT_EQ(client.node->info().local_free_bytes, free);
}

}  // namespace
}  // namespace kawara::conformance
