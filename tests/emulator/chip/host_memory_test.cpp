// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/host_memory.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "emulator/chip/local_memory.h"
#include "kawara/error.h"

namespace kawara::emulator {
namespace {

struct Pages {
  alignas(4096) std::byte bytes[3 * 4096] = {};
  std::span<std::byte> page(size_t first, size_t count = 1) { return std::span(bytes).subspan(first * 4096, count * 4096); }
};

class HostMemoryTest : public testing::Test {
 protected:
  std::unique_ptr<Pages> pages = std::make_unique<Pages>();
  HostMemory memory;
};

TEST_F(HostMemoryTest, ReachesOnlyWhatWasInserted) {
  memory.insert(0x10000, pages->page(0));
  EXPECT_EQ(memory.find(0x10000, 4096).data(), pages->bytes);
  EXPECT_TRUE(memory.find(0x10001, 4096).empty());
  EXPECT_TRUE(memory.find(0xffff, 2).empty());
  EXPECT_TRUE(memory.find(0x10010, ~uint64_t{0}).empty());
  EXPECT_EQ(memory.load(0x11000), std::nullopt);
  EXPECT_EQ(memory.load(0x10004), std::nullopt) << "not aligned";
  EXPECT_FALSE(memory.store(~uint64_t{7}, 1));
}

TEST_F(HostMemoryTest, CopiesAcrossRangesThatTouchOnTheBus) {
  memory.insert(0x10000, pages->page(2));
  memory.insert(0x11000, pages->page(0));
  const std::vector<std::byte> from(4096, std::byte{7});
  ASSERT_TRUE(memory.write(0x10800, from));
  EXPECT_EQ(pages->page(2)[0x7ff], std::byte{0});
  EXPECT_EQ(pages->page(2)[0x800], std::byte{7});
  EXPECT_EQ(pages->page(0)[0x7ff], std::byte{7});
  EXPECT_EQ(pages->page(0)[0x800], std::byte{0});
  std::vector<std::byte> back(4096);
  ASSERT_TRUE(memory.read(0x10800, back));
  EXPECT_EQ(back, from);
  EXPECT_FALSE(memory.read(0x11001, back));
}

TEST_F(HostMemoryTest, RefusesWhatOverlapsOrIsNotPages) {
  memory.insert(0x10000, pages->page(0, 2));
  for (const uint64_t bus : {0xf000ull, 0x10000ull, 0x11000ull}) EXPECT_THROW(memory.insert(bus, pages->page(1, 2)), Error) << bus;
  EXPECT_THROW(memory.insert(0x20001, pages->page(0)), Error);
  EXPECT_THROW(memory.insert(0x20000, pages->page(0).first(64)), Error);
  EXPECT_THROW(memory.insert(~uint64_t{0xfff}, pages->page(0, 2)), Error);
  EXPECT_THROW(memory.erase(0x11000), Error);
  EXPECT_NO_THROW(memory.insert(0x12000, pages->page(2)));
}

TEST_F(HostMemoryTest, EraseWaitsForPins) {
  memory.insert(0x10000, pages->page(0));
  auto pins = std::make_unique<HostMemory::Pins>(memory);
  ASSERT_FALSE(pins->find(0x10800, 8).empty());
  std::atomic<bool> erased = false;
  std::thread eraser([&] {
    memory.erase(0x10000);
    erased = true;
  });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!memory.find(0x10000, 8).empty() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(memory.find(0x10000, 8).empty()) << "it is leaving: nobody finds it any more";
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(erased);
  pins.reset();
  eraser.join();
  EXPECT_NO_THROW(memory.insert(0x10000, pages->page(1)));
}

TEST(LocalMemory, IsZeroAndClearsToZero) {
  LocalMemory local(1);
  EXPECT_EQ(local.bytes().size(), 1u << 20);
  local.bytes()[4095] = local.bytes()[4096] = local.bytes()[8191] = local.bytes()[8192] = std::byte{1};
  local.clear(4096, 4096);
  EXPECT_EQ(local.bytes()[4095], std::byte{1});
  EXPECT_EQ(local.bytes()[4096], std::byte{0});
  EXPECT_EQ(local.bytes()[8191], std::byte{0});
  EXPECT_EQ(local.bytes()[8192], std::byte{1});
  EXPECT_THROW(local.clear(4096, 1 << 20), Error);
  EXPECT_THROW(local.clear(~uint64_t{0}, 2), Error);
}

}  // namespace
}  // namespace kawara::emulator
