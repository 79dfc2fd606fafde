// SPDX-License-Identifier: Apache-2.0
// An engine that does not even heed the reset of its queue costs everybody the device, but nobody the process.
#include <cstring>
#include <thread>

#include <gtest/gtest.h>

#include "emulator/chips.h"
#include "emulator/driver/driver.h"
#include "kawara/error.h"
#include "kawara/hw/encode.h"

namespace kawara::emulator {
namespace {

using namespace std::chrono_literals;

// Stuck: never looks whether it should stop, for longer than a hang and the reset of a queue take together.
ExecutorFactory stuck_executor() {
  return [](std::span<std::byte>, std::span<std::byte>) -> Execute {
    return [](const Job&, uint32_t, uint32_t, const Progress&) {
      std::this_thread::sleep_for(2200ms);
      return Health{};
    };
  };
}

TEST(Driver, ResetsADeviceWhoseQueueDoesNotStop) {
  Driver driver(find_config("k1-mini"), stuck_executor());
  const auto vm = driver.vm_create();
  const auto commands = driver.bo_create(Memory::system, 4096);
  const auto nop = hw::encode(hw::blank<kawara_nop>());
  std::memcpy(commands->bytes().data(), nop.data(), nop.size());
  const BindOp map{.address = DeviceAddress{0x10000}, .size_bytes = 4096};
  driver.bind(vm, {&map, 1}, {&commands, 1});
  const auto queue = driver.queue_create(vm, Priority::normal, 10s);
  const auto bystander = driver.queue_create(vm, Priority::high, 10s);

  const TimelinePoint end{std::make_shared<Timeline>(), 1};
  const NodeJob job{.commands = DeviceAddress{0x10000}, .command_bytes = static_cast<uint32_t>(nop.size())};
  driver.submit(queue, {&job, 1}, {}, {&end, 1});
  ASSERT_TRUE(driver.wait({&end, 1}, std::chrono::steady_clock::now() + 20s, true)) << "no point waits for ever";

  EXPECT_EQ(driver.queue_state(*queue).kind, QueueState::Kind::lost);
  EXPECT_EQ(driver.queue_state(*queue).completed, 0u);
  EXPECT_EQ(driver.queue_state(*bystander).kind, QueueState::Kind::lost);
  try {
    driver.submit(bystander, {}, {}, {});
    ADD_FAILURE() << "a lost queue took a job";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::device_lost);
  }
  // The device itself works on: a clear goes through the ring, and a new address space has a queue.
  EXPECT_NO_THROW(driver.bo_create(Memory::local, 4096));
  EXPECT_EQ(driver.queue_state(*driver.queue_create(driver.vm_create(), Priority::normal, 10s)).kind, QueueState::Kind::ready);
}

}  // namespace
}  // namespace kawara::emulator
