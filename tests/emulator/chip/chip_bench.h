// SPDX-License-Identifier: Apache-2.0
// A chip on a bench: host memory between fences that crash whoever crosses them, page tables written by hand, rings, and an
// executor that only notes what it was given.
#pragma once

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "emulator/chip/chip.h"
#include "kawara/hw/encode.h"

namespace kawara::emulator {

// What FAULT and the registers behind it show.
struct ShownFault {
  uint32_t code = 0, engine = 0;
  bool write = false;
  uint32_t packet = 0, command = 0, debug_id = 0;
  uint64_t address = 0;
  uint32_t field = 0;

  bool operator==(const ShownFault&) const = default;
};
inline void PrintTo(const ShownFault& fault, std::ostream* out) {
  *out << "{code " << fault.code << ", engine " << fault.engine << ", write " << fault.write << ", packet " << fault.packet << ", command "
       << fault.command << ", debug_id " << fault.debug_id << ", address 0x" << std::hex << fault.address << std::dec << ", field "
       << fault.field << "}";
}

bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds limit = std::chrono::seconds(10));

class ChipBench : public testing::Test {
 protected:
  static constexpr uint64_t kBus = 0x4'0000'0000;  // of the host memory
  static constexpr uint64_t kHostPages = 256;
  static constexpr uint32_t kContext = 3;
  static constexpr uint64_t kReadWrite = KAWARA_PTE_READ | KAWARA_PTE_WRITE;

  ChipBench();
  ~ChipBench() override;

  // Registers.
  uint32_t global(uint32_t offset) { return chip->read(KAWARA_GLOBAL_BASE + offset); }
  uint32_t queue(unsigned number, uint32_t offset) { return chip->read(KAWARA_QUEUE_BASE + KAWARA_QUEUE_STRIDE * number + offset); }
  void write_queue(unsigned number, uint32_t offset, uint32_t value) {
    chip->write(KAWARA_QUEUE_BASE + KAWARA_QUEUE_STRIDE * number + offset, value);
  }
  uint32_t state(unsigned number) { return KAWARA_GET(queue(number, KAWARA_QUEUE_STATE), QUEUE_STATE_STATE); }
  ShownFault fault(unsigned number);
  ShownFault wait_for_fault(unsigned number);
  bool wait_for_head(unsigned number, uint32_t head);

  // Host memory: whole pages, zeroed.
  uint64_t host_pages(uint64_t count = 1);  // bus address
  std::byte* host_bytes(uint64_t bus) { return arena_ + (bus - kBus); }
  template <typename T>
  T& host(uint64_t bus) {
    return *reinterpret_cast<T*>(host_bytes(bus));
  }

  // The page table of kContext.
  void map(uint64_t address, uint64_t target, uint64_t flags);        // one 4 KiB leaf
  void map_large(uint64_t address, uint64_t target, uint64_t flags);  // one 2 MiB leaf
  uint64_t& entry(uint64_t address, int level);                       // 1 root … 3 leaf table
  uint64_t root() const { return root_; }
  void set_root(uint32_t context, uint64_t root_and_valid);

  // Rings. start() makes one and enables its queue.
  void start(unsigned number, uint32_t priority = 0, uint32_t log2_packets = 6, uint32_t first = 0);
  void push(unsigned number, const kawara_packet& packet);  // not yet seen by the chip
  void ring(unsigned number) { write_queue(number, KAWARA_QUEUE_TAIL, rings_[number].tail); }
  void submit(unsigned number, const kawara_packet& packet) { push(number, packet), ring(number); }
  uint32_t tail(unsigned number) const { return rings_[number].tail; }
  void restart_after_reset(unsigned number);  // at HEAD, empty

  static kawara_packet nop() { return {{KAWARA_PACKET_NOP}}; }
  static kawara_packet signal(uint64_t bus, uint64_t value, bool interrupt = true);
  static kawara_packet clear(uint64_t address, uint64_t size);
  // A job whose buffers are put into host memory mapped at a fresh address each.
  kawara_packet job(std::span<const std::byte> commands, std::span<const kawara_region> regions = {}, uint64_t tag = 0);
  kawara_packet nops(uint32_t count, uint64_t tag = 0);
  uint64_t last_commands() const { return last_commands_; }  // virtual addresses of the last job()
  uint64_t last_record() const { return last_record_; }
  kawara_record& record();  // of the last job()

  size_t interrupts(unsigned vector);
  void hang(unsigned number, uint32_t command);

  // What the executor does in place of running; the default retires command after command.
  using Run = std::function<Health(const Job&, uint32_t begin, uint32_t end, const Progress&)>;
  void on_run(Run run);
  static Health retire_all(const Job& job, uint32_t begin, uint32_t end, const Progress& progress);
  std::span<std::byte> sram() const { return sram_; }

  HostMemory memory;
  std::unique_ptr<Chip> chip;

 private:
  struct TestRing {
    uint64_t bus = 0;
    uint32_t packets = 0, tail = 0;
  };
  static constexpr kawara_config kConfig{.name = "bench",
                                         .local_mib = 8,
                                         .sram_kib = 64,
                                         .me_rows = 1,
                                         .me_columns = 1,
                                         .ve_lanes = 1,
                                         .clock_mhz = 1000,
                                         .local_gb_s = 1,
                                         .sram_gb_s = 1,
                                         .pcie_gb_s = 1,
                                         .features = KAWARA_GLOBAL_FEATURES_LIMIT};

  std::byte* arena_ = nullptr;
  uint64_t next_page_ = 0;
  uint64_t root_ = 0;
  uint64_t next_address_ = 0x4000'0000;
  uint64_t last_commands_ = 0, last_record_ = 0, last_record_bus_ = 0;
  TestRing rings_[KAWARA_QUEUE_COUNT];
  std::mutex mutex_;
  std::vector<size_t> interrupts_ = std::vector<size_t>(256);
  Run run_ = retire_all;
  std::span<std::byte> sram_;
};

// One f32 vector command over eight elements: region 0 to region 1.
std::vector<std::byte> vector_command(uint32_t debug_id = 0);
// A copy of `bytes` bytes from the start of region 0 to the start of region 1.
std::vector<std::byte> copy_command(uint32_t bytes, uint32_t debug_id = 0);
kawara_region region(uint64_t address, uint64_t size, uint32_t flags = KAWARA_REGION_READ | KAWARA_REGION_WRITE);

}  // namespace kawara::emulator
