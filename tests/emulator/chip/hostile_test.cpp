// SPDX-License-Identifier: Apache-2.0
// A driver that writes nonsense may wedge its device; it reaches no memory that it did not give, and the chip lives on. The
// bench's host memory stands between pages that crash whoever touches them.
#include <random>

#include "emulator/chip/chip_bench.h"

namespace kawara::emulator {
namespace {

class HostileTest : public ChipBench {
 protected:
  HostileTest() {
    // Touches every byte that a job was given.
    on_run([](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
      for (const Region& region : job.regions) {
        for (const Extent& piece : region.pieces) touch({piece.data, piece.size}, region.writable);
        if (region.data != nullptr) touch({region.data, region.size}, region.writable);
      }
      return retire_all(job, begin, end, progress);
    });
  }

  static void touch(std::span<std::byte> bytes, bool write) {
    for (size_t at : {size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
      volatile std::byte& byte = bytes[at];
      const std::byte value = byte;
      if (write) byte = value;
    }
  }

  uint64_t any() { return random(); }
  uint64_t any(uint64_t below) { return random() % below; }
  // Mostly plausible, sometimes not.
  uint64_t some_bus() { return any(8) == 0 ? any() : kBus + any(kHostPages) * 4096 + any(4) * 64; }
  uint64_t some_address() { return any(8) == 0 ? any() : 0x4000'0000 + any(64) * 4096 + any(2) * 2048; }

  void expect_alive() {
    chip->write(KAWARA_GLOBAL_RESET, KAWARA_RESET_KEY);
    ASSERT_TRUE(wait_until([&] { return global(KAWARA_GLOBAL_STATUS) == 3; }));
    ASSERT_EQ(global(KAWARA_GLOBAL_IDENT), 0x4b415731u);
  }

  std::mt19937_64 random{20240611};
};

TEST_F(HostileTest, RandomPackets) {
  start(0);
  for (int round = 0; round < 3000; ++round) {
    kawara_packet packet{};
    const bool wild = any(4) == 0;
    for (uint32_t& word : packet.word) word = wild ? static_cast<uint32_t>(any()) : 0;
    packet.word[0] = static_cast<uint32_t>(any(6)) | (any(2) ? kContext << 16 : 0);
    if (!wild) {
      const uint64_t address = any(2) ? some_bus() : some_address(), other = some_address();
      packet.word[1] = static_cast<uint32_t>(any(3) ? 0 : any(64) * 16);
      packet.word[2] = static_cast<uint32_t>(any(3) ? 0 : any(4097));
      std::memcpy(&packet.word[any(2) ? 2 : 4], &address, 8);
      std::memcpy(&packet.word[any(2) ? 6 : 8], &other, 8);
    }
    submit(0, packet);
    ASSERT_TRUE(wait_until([&] { return state(0) == KAWARA_QUEUE_IDLE || state(0) == KAWARA_QUEUE_FAULTED; }));
    if (state(0) != KAWARA_QUEUE_FAULTED) continue;
    write_queue(0, KAWARA_QUEUE_RESET, 1);
    restart_after_reset(0);
  }
  expect_alive();
}

TEST_F(HostileTest, RandomPageTables) {
  start(0);
  // All of host memory is the page table of every other job, its own buffers included.
  std::vector<kawara_packet> packets;
  for (int i = 0; i < 8; ++i) {
    const kawara_region regions[] = {region(0x1000'0000 + any(16) * 4096, any(100000)), region(0x3000'0000 + any(16) * 4096, any(100000))};
    packets.push_back(job(i % 2 ? copy_command(16) : vector_command(), regions));
  }
  const uint64_t tables = host_pages(16);
  for (int round = 0; round < 1500; ++round) {
    for (int entry = 0; entry < 64; ++entry) {
      const uint64_t flags =
          any(3) ? KAWARA_PTE_VALID | (any(2) ? KAWARA_PTE_LEAF | kReadWrite | (any(2) ? KAWARA_PTE_LOCAL : 0) : 0) : any();
      const uint64_t target = any(3) ? tables + any(16) * 4096 : any(2) ? some_bus() & ~uint64_t{4095} : any(2048) * 4096;
      host<uint64_t>(tables + any(16) * 4096 + any(64) * 8) = target | flags;
    }
    set_root(kContext, (any(16) ? tables + any(16) * 4096 : any()) | KAWARA_CONTEXT_ROOT_LO_VALID);
    if (any(2))
      set_root(kContext, root() | KAWARA_CONTEXT_ROOT_LO_VALID), entry(0x1000'0000, 1) = (tables + any(16) * 4096) | KAWARA_PTE_VALID;
    submit(0, packets[any(packets.size())]);
    ASSERT_TRUE(wait_until([&] { return state(0) == KAWARA_QUEUE_IDLE || state(0) == KAWARA_QUEUE_FAULTED; }));
    if (state(0) != KAWARA_QUEUE_FAULTED) continue;
    write_queue(0, KAWARA_QUEUE_RESET, 1);
    restart_after_reset(0);
  }
  expect_alive();
}

TEST_F(HostileTest, RandomCommandsAndRegions) {
  start(0);
  map_large(0x4000'0000 + (8 << 20), 0, kReadWrite | KAWARA_PTE_LOCAL);
  const auto copy = copy_command(256), vector = vector_command();
  const kawara_region regions[] = {region(0x4080'0000, 65536), region(0x4081'0000, 65536)};
  std::vector<std::byte> commands = copy;
  commands.insert(commands.end(), vector.begin(), vector.end());
  const kawara_packet packet = job(commands, regions);
  std::byte* const page = host_bytes(entry(last_commands(), 3) & KAWARA_PTE_ADDRESS);
  const std::vector<std::byte> good(page, page + 4096);
  uint32_t retired = 0;
  for (int round = 0; round < 3000; ++round) {
    std::memcpy(page, good.data(), good.size());
    for (uint64_t flip = any(4); flip > 0; --flip) {
      const size_t place = any(2) ? any(commands.size()) : 2048 + any(sizeof(regions));
      page[place] = any(2) ? page[place] ^ std::byte(1u << any(8)) : std::byte(any(256));
    }
    submit(0, packet);
    ASSERT_TRUE(wait_until([&] { return state(0) == KAWARA_QUEUE_IDLE || state(0) == KAWARA_QUEUE_FAULTED; }));
    if (state(0) != KAWARA_QUEUE_FAULTED) {
      ++retired;
      continue;
    }
    write_queue(0, KAWARA_QUEUE_RESET, 1);
    restart_after_reset(0);
  }
  EXPECT_GT(retired, 100u) << "the unchanged job runs";
  EXPECT_LT(retired, 2900u);
  expect_alive();
}

// A page table of three pages that maps all 512 GiB: the walk is long, and ends when the queue is reset.
TEST_F(HostileTest, AnEndlessWalkEndsWithAReset) {
  const uint64_t middle = host_pages(), leaves = host_pages();
  const kawara_packet packet = [&] {
    const kawara_region regions[] = {region(0x10'0000'0000, 64ull << 30), region(0x40'0000'0000, 64ull << 30)};
    return job(copy_command(16), regions);
  }();
  for (uint64_t index = 0; index < 512; ++index) {
    host<uint64_t>(leaves + index * 8) = (index * 4096) | kReadWrite | KAWARA_PTE_LOCAL | KAWARA_PTE_VALID | KAWARA_PTE_LEAF;
    host<uint64_t>(middle + index * 8) = leaves | KAWARA_PTE_VALID;
    if (index >= 64) host<uint64_t>(root() + index * 8) = middle | KAWARA_PTE_VALID;
  }
  start(0);
  submit(0, packet);
  ASSERT_TRUE(wait_until([&] { return state(0) == KAWARA_QUEUE_RUNNING; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  write_queue(0, KAWARA_QUEUE_RESET, 1);
  EXPECT_TRUE(wait_until([&] { return state(0) == KAWARA_QUEUE_DISABLED; }, std::chrono::milliseconds(500)));
  EXPECT_EQ(queue(0, KAWARA_QUEUE_HEAD), 0u);
}

TEST_F(HostileTest, RandomRegisterWritesFromManyThreads) {
  start(0);
  submit(0, nops(2));
  ASSERT_TRUE(wait_for_head(0, 1));
  std::vector<std::thread> writers;
  for (uint64_t seed = 0; seed < 3; ++seed)
    writers.emplace_back([this, seed] {
      std::mt19937_64 random(seed);
      for (int i = 0; i < 20000; ++i) {
        const uint32_t block = random() % 3 == 0 ? 0 : KAWARA_QUEUE_BASE + random() % 8 * KAWARA_QUEUE_STRIDE;
        const uint32_t address = block + random() % 20 * 4;
        if (random() % 2) {
          chip->read(address);
        } else {
          chip->write(address, random() % 4 ? static_cast<uint32_t>(random() % 64) : static_cast<uint32_t>(random()));
        }
      }
    });
  for (std::thread& writer : writers) writer.join();
  expect_alive();
}

}  // namespace
}  // namespace kawara::emulator
