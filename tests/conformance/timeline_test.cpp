// SPDX-License-Identifier: Apache-2.0
// Timelines: order between queues, and what the host hears of it.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <thread>

#include "conformance/client.h"

namespace kawara::conformance {
namespace {

using Timelines = Conformance;
INSTANTIATE_TEST_SUITE_P(Node, Timelines, testing::ValuesIn(subjects()), name_of);

TEST_P(Timelines, APointWithoutJobsIsReachedInItsTurn) {
  Client client(open());
  EXPECT_TRUE(client.wait(client.submit(client.queue, {})));
}

TEST_P(Timelines, EveryPointUpToAReachedOneIsReached) {
  Client client(open());
  const Point five{client.timeline, 5};
  client.node->submit(client.queue, {}, {}, {&five, 1});
  EXPECT_TRUE(client.wait({client.timeline, 3}));
  EXPECT_TRUE(client.wait({client.timeline, 5}));
  EXPECT_FALSE(client.wait({client.timeline, 6}, in(10ms)));
}

TEST_P(Timelines, AWaitMayComeBeforeTheSubmission) {
  Client client(open());
  std::thread submits([&] {
    std::this_thread::sleep_for(20ms);
    client.submit(client.queue, {});
  });
  EXPECT_TRUE(client.wait({client.timeline, 1}));
  submits.join();
}

TEST_P(Timelines, AWaitEndsAtItsDeadline) {
  Client client(open());
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(client.wait({client.timeline, 1}, in(30ms)));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 30ms);
  EXPECT_FALSE(client.wait({client.timeline, 1}, Deadline::min()));
}

TEST_P(Timelines, AnyNamesAReachedPointAndAllWaitsForEach) {
  Client client(open());
  const TimelineId never = client.node->timeline_create();
  const Point points[] = {{never, 1}, client.submit(client.queue, {})};
  EXPECT_EQ(client.node->wait(points, soon(), false), 1u);
  EXPECT_EQ(client.node->wait(points, in(10ms), true), std::nullopt);
}

TEST_P(Timelines, RefuseWaitsThatBreakARule) {
  Client client(open());
  const Point zero{client.timeline, 0};
  const std::vector<Point> many(1025, {client.timeline, 1});
  EXPECT_EQ(code_of([&] { client.node->wait({}, soon(), true); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { client.node->wait({&zero, 1}, soon(), true); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { client.node->wait(many, soon(), true); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { client.wait({TimelineId{99}, 1}); }), "not_found");
}

TEST_P(Timelines, AreGoneOnceDestroyed) {
  Client client(open());
  const TimelineId line = client.node->timeline_create();
  client.node->timeline_destroy(line);
  EXPECT_EQ(code_of([&] { client.node->timeline_destroy(line); }), "not_found");
  EXPECT_EQ(code_of([&] { client.wait({line, 1}); }), "not_found");
}

TEST_P(Timelines, AnEventfdHearsOfAPoint) {
  Client client(open());
  const int event = eventfd(0, EFD_CLOEXEC);
  client.node->notify({client.timeline, 1}, event);
  pollfd waits{.fd = event, .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&waits, 1, 0), 0);
  client.submit(client.queue, {});
  ASSERT_EQ(poll(&waits, 1, 20'000), 1);
  uint64_t count = 0;
  EXPECT_EQ(read(event, &count, sizeof count), 8);
  EXPECT_EQ(count, 1u);
  client.node->notify({client.timeline, 1}, event);
  EXPECT_EQ(poll(&waits, 1, 0), 1) << "of a point that is reached, at once";
  close(event);
}

TEST_P(Timelines, RefuseNotificationsThatBreakARule) {
  Client client(open());
  const int event = eventfd(0, EFD_CLOEXEC);
  EXPECT_EQ(code_of([&] { client.node->notify({client.timeline, 1}, -1); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { client.node->notify({client.timeline, 0}, event); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { client.node->notify({TimelineId{99}, 1}, event); }), "not_found");
  close(event);
}

TEST_P(Timelines, OrderJobsOfDifferentQueues) {
  Client client(open());
  const TestBuffer a = client.buffer(Memory::system, kPage), b = client.buffer(Memory::local, kPage),
                   c = client.buffer(Memory::system, kPage);
  const TestJob first = client.copy_job(a, b, kPage), second = client.copy_job(b, c, kPage);
  const QueueId other = client.node->queue_create(client.vm, Priority::high, 10s);
  for (uint32_t round = 1; round <= 50; ++round) {
    a.as<uint32_t>()[1023] = round;
    const Point copied = client.submit(client.queue, {&first.job, 1});
    const Point end = client.submit(other, {&second.job, 1}, {&copied, 1});
    ASSERT_TRUE(client.wait(end));
    ASSERT_EQ(c.as<uint32_t>()[1023], round);
  }
}

TEST_P(Timelines, CarryAChainOfWaitsAcrossQueues) {
  Client client(open());
  const QueueId queues[] = {client.queue, client.node->queue_create(client.vm, Priority::low, 1s),
                            client.node->queue_create(client.vm, Priority::high, 1s)};
  Point last = client.submit(queues[0], {});
  for (int i = 1; i < 300; ++i) last = client.submit(queues[i % 3], {}, {&last, 1});
  EXPECT_TRUE(client.wait(last));
}

}  // namespace
}  // namespace kawara::conformance
