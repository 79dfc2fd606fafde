// SPDX-License-Identifier: Apache-2.0
// A forked child has none of its parent's devices, and may open its own.
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/client.h"

namespace kawara::conformance {
namespace {

using Fork = Conformance;
INSTANTIATE_TEST_SUITE_P(Node, Fork, testing::ValuesIn(subjects()), name_of);

// Exit status of a child that runs `body`, which returns true for well; -1 when it crashed or hung.
template <typename Body>
int in_child(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    bool well = false;
    try {
      well = body();
    } catch (...) {
    }
    _exit(well ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_P(Fork, EveryMethodOfTheParentsNodeSaysSo) {
  Client client(open());
  const BoId bo = client.node->bo_create(client.vm, Memory::system, kPage);
  EXPECT_EQ(in_child([&] {
              Node& node = *client.node;
              const Point point{client.timeline, 1};
              const std::function<void()> calls[] = {
                  [&] { node.info(); },
                  [&] { node.vm_create(); },
                  [&] { node.vm_destroy(client.vm); },
                  [&] { node.bo_create(client.vm, Memory::system, kPage); },
                  [&] { node.bo_close(bo); },
                  [&] { node.bo_map(bo); },
                  [&] { node.bind(client.vm, {}); },
                  [&] { node.queue_create(client.vm, Priority::normal, 1s); },
                  [&] { node.queue_destroy(client.queue); },
                  [&] { node.queue_state(client.queue); },
                  [&] { node.submit(client.queue, {}, {}, {}); },
                  [&] { node.timeline_create(); },
                  [&] { node.timeline_destroy(client.timeline); },
                  [&] { node.wait({&point, 1}, soon(), true); },
                  [&] { node.notify(point, 0); },
              };
              for (const auto& call : calls) {
                if (code_of(call) != "forked") return false;
              }
              return true;
            }),
            0);
}

TEST_P(Fork, DestructorsInTheChildTouchNothingOfTheParent) {
  auto client = std::make_unique<Client>(open());
  auto from = std::make_unique<TestBuffer>(client->buffer(Memory::system, kPage));
  const TestBuffer to = client->buffer(Memory::local, kPage);
  const TestJob job = client->copy_job(*from, to, 16);
  EXPECT_EQ(in_child([&] {
              from.reset();
              client.reset();
              return true;
            }),
            0);
  from->as<uint32_t>()[0] = 11;
  ASSERT_TRUE(client->run(job));
  EXPECT_EQ(to.as<uint32_t>()[0], 11u);
}

TEST_P(Fork, TheChildOpensItsOwn) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "g++ 12's address sanitizer holds no locks of its own across a fork, and the parent has threads";
#endif
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the thread sanitizer allows no threads in the child of a process with threads";
#endif
  Client parent(open());
  EXPECT_EQ(in_child([&] {
              Client client(open());
              const TestBuffer from = client.buffer(Memory::system, kPage), to = client.buffer(Memory::local, kPage);
              from.as<uint32_t>()[0] = 12;
              return client.run(client.copy_job(from, to, 16)) && to.as<uint32_t>()[0] == 12;
            }),
            0);
}

}  // namespace
}  // namespace kawara::conformance
