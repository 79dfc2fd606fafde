// SPDX-License-Identifier: Apache-2.0
// Jobs from end to end: ring, page tables, check, engines, record, signal.
#include <algorithm>
#include <numeric>
#include <thread>

#include "conformance/client.h"

namespace kawara::conformance {
namespace {

using Jobs = Conformance;
INSTANTIATE_TEST_SUITE_P(Node, Jobs, testing::ValuesIn(subjects()), name_of);

TEST_P(Jobs, CopyThroughLocalMemoryAndBack) {
  Client client(open());
  constexpr uint32_t size = 3 * kPage;
  const TestBuffer from = client.buffer(Memory::system, size), local = client.buffer(Memory::local, size),
                   to = client.buffer(Memory::system, size);
  std::iota(from.as<uint32_t>().begin(), from.as<uint32_t>().end(), 1000u);
  const TestJob in = client.copy_job(from, local, size), out = client.copy_job(local, to, size);
  const NodeJob jobs[] = {in.job, out.job};
  ASSERT_TRUE(client.wait(client.submit(client.queue, jobs)));
  EXPECT_TRUE(std::ranges::equal(to.mapping.bytes(), from.mapping.bytes()));
}

TEST_P(Jobs, ComputeOnTheVectorEngineBetweenTwoCopies) {
  Client client(open());
  const TestBuffer in = client.buffer(Memory::system, 2 * kPage), out = client.buffer(Memory::system, 2 * kPage);
  std::ranges::generate(in.as<float>(), [value = -1000.0f]() mutable { return value += 1.5f; });
  const TestJob job = client.relu_job(in, out);
  ASSERT_TRUE(client.run(job));
  ASSERT_EQ(client.state().kind, QueueState::Kind::ready)
      << "fault " << client.state().fault.code << " at " << client.state().fault.command;
  EXPECT_EQ(job.result().commands, 3u);
  for (size_t i = 0; i < in.as<float>().size(); ++i) ASSERT_EQ(out.as<float>()[i], std::max(in.as<float>()[i], 0.0f)) << i;
}

TEST_P(Jobs, LeaveARecord) {
  Client client(open());
  const TestBuffer buffer = client.buffer(Memory::system, kPage), other = client.buffer(Memory::system, kPage);
  const TestJob job = client.copy_job(buffer, other, 64);
  ASSERT_TRUE(client.run(job));
  EXPECT_TRUE(job.done());
  EXPECT_EQ(job.result().tag, job.job.tag);
  EXPECT_EQ(job.result().commands, 1u);
}

TEST_P(Jobs, MayHaveNoRecord) {
  Client client(open());
  TestJob job = client.copy_job(client.buffer(Memory::system, kPage), client.buffer(Memory::system, kPage), 64);
  job.job.record = {};
  EXPECT_TRUE(client.run(job));
  EXPECT_EQ(client.state().completed, 1u);
}

TEST_P(Jobs, SeeLargePagesAndSmallOnes) {
  Client client(open());
  constexpr uint64_t large = uint64_t{2} << 20;
  const BoId bo = client.node->bo_create(client.vm, Memory::local, 2 * large);
  // The same buffer twice: where large leaves fit, and one page beside that.
  const TestBuffer aligned{.bo = bo, .address = 16 * large, .size = 2 * large, .mapping = client.node->bo_map(bo)};
  const TestBuffer beside{.bo = bo, .address = 32 * large + kPage, .size = 2 * large, .mapping = {}};
  client.bind(aligned);
  client.bind(beside);
  const TestBuffer to = client.buffer(Memory::system, 2 * large);
  for (const TestBuffer* from : {&aligned, &beside}) {
    std::iota(aligned.as<uint32_t>().begin(), aligned.as<uint32_t>().end(), static_cast<uint32_t>(from->address));
    ASSERT_TRUE(client.run(client.copy_job(*from, to, 2 * large)));
    EXPECT_TRUE(std::ranges::equal(to.mapping.bytes(), aligned.mapping.bytes()));
  }
  client.unbind(aligned);
  client.unbind(beside);
  client.bind(aligned);
  EXPECT_TRUE(client.run(client.copy_job(aligned, to, 2 * large)));
}

TEST_P(Jobs, FinishBeforeTheirMemoryIsUnbound) {
  Client client(open());
  const TestBuffer from = client.buffer(Memory::system, kPage), to = client.buffer(Memory::system, kPage);
  from.as<uint32_t>()[0] = 42;
  const std::vector<NodeJob> jobs(200, client.copy_job(from, to, 16).job);
  const Point end = client.submit(client.queue, jobs);
  client.unbind(from);
  EXPECT_TRUE(client.wait(end, Deadline::min()));
  EXPECT_EQ(client.state().completed, 200u);
}

TEST_P(Jobs, OfTwoClientsDoNotMeet) {
  Client first(open()), second(open());
  Client* const clients[] = {&first, &second};
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < 2; ++i) {
    threads.emplace_back([client = clients[i], i] {
      // The same addresses in both, other memory behind them.
      const TestBuffer from = client->buffer(Memory::system, kPage), local = client->buffer(Memory::local, kPage);
      const TestBuffer to = client->buffer(Memory::system, kPage);
      const TestJob in = client->copy_job(from, local, kPage), out = client->copy_job(local, to, kPage);
      for (uint32_t round = 0; round < 50; ++round) {
        std::ranges::fill(from.as<uint32_t>(), round * 2 + i);
        const NodeJob jobs[] = {in.job, out.job};
        ASSERT_TRUE(client->wait(client->submit(client->queue, jobs)));
        ASSERT_EQ(to.as<uint32_t>()[1023], round * 2 + i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(Jobs, MayBeSubmittedFromManyThreads) {
  Client client(open());
  const TestBuffer from = client.buffer(Memory::system, kPage), to = client.buffer(Memory::system, kPage);
  const TestJob job = client.copy_job(from, to, 16);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const TimelineId line = client.node->timeline_create();
      const QueueId queue = client.node->queue_create(client.vm, Priority::normal, 10s);
      for (uint64_t value = 1; value <= 100; ++value) {
        const Point end{line, value};
        client.node->submit(queue, {&job.job, 1}, {}, {&end, 1});
        if (value % 10 == 0) {
          ASSERT_TRUE(client.node->wait({&end, 1}, soon(), true));
        }
      }
      client.node->queue_destroy(queue);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(Jobs, MayStillRunWhenTheirNodeCloses) {
  for (int round = 0; round < 5; ++round) {
    Client client(open());
    const TestBuffer from = client.buffer(Memory::system, 64 * kPage), to = client.buffer(Memory::local, 64 * kPage);
    const std::vector<NodeJob> jobs(300, client.copy_job(from, to, 64 * kPage).job);
    client.submit(client.queue, jobs);
  }
}

}  // namespace
}  // namespace kawara::conformance
