// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/chip_bench.h"

#include <sys/mman.h>

namespace kawara::emulator {
namespace {

constexpr uint64_t kPage = HostMemory::kPageBytes;

}  // namespace

bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  return true;
}

ChipBench::ChipBench() {
  // A page that nobody may touch on either side.
  const uint64_t bytes = (kHostPages + 2) * kPage;
  auto* all = static_cast<std::byte*>(mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  arena_ = all + kPage;
  mprotect(arena_, kHostPages * kPage, PROT_READ | PROT_WRITE);
  memory.insert(kBus, {arena_, kHostPages * kPage});
  const auto executor = [this](std::span<std::byte>, std::span<std::byte> sram) -> Execute {
    sram_ = sram;
    return [this](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
      Run run;
      {
        const std::lock_guard lock(mutex_);
        run = run_;
      }
      return run(job, begin, end, progress);
    };
  };
  chip = std::make_unique<Chip>(kConfig, memory, executor, [this](unsigned vector) {
    const std::lock_guard lock(mutex_);
    ++interrupts_.at(vector);
  });
  root_ = host_pages();
  set_root(kContext, root_ | KAWARA_CONTEXT_ROOT_LO_VALID);
  chip->write(KAWARA_REGISTER(GLOBAL, 0, CONTROL), KAWARA_GLOBAL_CONTROL_RUN);
  chip->write(KAWARA_REGISTER(GLOBAL, 0, INTERRUPT_MASK), 0);
}

ChipBench::~ChipBench() {
  chip.reset();
  munmap(arena_ - kPage, (kHostPages + 2) * kPage);
}

ShownFault ChipBench::fault(unsigned number) {
  const uint32_t shown = queue(number, KAWARA_QUEUE_FAULT);
  if ((shown & KAWARA_QUEUE_FAULT_VALID) == 0) return {};
  const uint64_t low = queue(number, KAWARA_QUEUE_FAULT_ADDRESS_LO);
  return {.code = KAWARA_GET(shown, QUEUE_FAULT_CODE),
          .engine = KAWARA_GET(shown, QUEUE_FAULT_ENGINE),
          .write = (shown & KAWARA_QUEUE_FAULT_WRITE) != 0,
          .packet = queue(number, KAWARA_QUEUE_FAULT_PACKET),
          .command = queue(number, KAWARA_QUEUE_FAULT_COMMAND),
          .debug_id = queue(number, KAWARA_QUEUE_FAULT_DEBUG_ID),
          .address = low | uint64_t{queue(number, KAWARA_QUEUE_FAULT_ADDRESS_HI)} << 32,
          .field = queue(number, KAWARA_QUEUE_FAULT_FIELD)};
}

ShownFault ChipBench::wait_for_fault(unsigned number) {
  EXPECT_TRUE(wait_until([&] { return state(number) == KAWARA_QUEUE_FAULTED; })) << "state " << state(number);
  return fault(number);
}

bool ChipBench::wait_for_head(unsigned number, uint32_t head) {
  return wait_until([&] { return queue(number, KAWARA_QUEUE_HEAD) == head; });
}

uint64_t ChipBench::host_pages(uint64_t count) {
  if (next_page_ + count > kHostPages) throw std::runtime_error("the bench has no host memory left");
  const uint64_t bus = kBus + next_page_ * kPage;
  next_page_ += count;
  return bus;
}

uint64_t& ChipBench::entry(uint64_t address, int level) {
  uint64_t table = root_;
  for (int above = 1; above < level; ++above) {
    uint64_t& pointer = host<uint64_t>(table + (address >> (39 - 9 * above) & 511) * 8);
    if (pointer == 0) pointer = host_pages() | KAWARA_PTE_VALID;
    table = pointer & KAWARA_PTE_ADDRESS;
  }
  return host<uint64_t>(table + (address >> (39 - 9 * level) & 511) * 8);
}

void ChipBench::map(uint64_t address, uint64_t target, uint64_t flags) {
  entry(address, 3) = target | flags | KAWARA_PTE_VALID | KAWARA_PTE_LEAF;
}

void ChipBench::map_large(uint64_t address, uint64_t target, uint64_t flags) {
  entry(address, 2) = target | flags | KAWARA_PTE_VALID | KAWARA_PTE_LEAF;
}

void ChipBench::set_root(uint32_t context, uint64_t root_and_valid) {
  chip->write(KAWARA_REGISTER(CONTEXT, context, ROOT_HI), static_cast<uint32_t>(root_and_valid >> 32));
  chip->write(KAWARA_REGISTER(CONTEXT, context, ROOT_LO), static_cast<uint32_t>(root_and_valid));
}

void ChipBench::start(unsigned number, uint32_t priority, uint32_t log2_packets, uint32_t first) {
  TestRing& ring = rings_[number];
  ring = {.bus = host_pages(((64ull << log2_packets) + kPage - 1) / kPage), .packets = 1u << log2_packets, .tail = first};
  write_queue(number, KAWARA_QUEUE_RING_BASE_LO, static_cast<uint32_t>(ring.bus));
  write_queue(number, KAWARA_QUEUE_RING_BASE_HI, static_cast<uint32_t>(ring.bus >> 32));
  write_queue(number, KAWARA_QUEUE_RING_SIZE, log2_packets);
  write_queue(number, KAWARA_QUEUE_HEAD, first);
  write_queue(number, KAWARA_QUEUE_TAIL, first);
  write_queue(number, KAWARA_QUEUE_CONTROL,
              KAWARA_QUEUE_CONTROL_ENABLE | KAWARA_PUT(QUEUE_CONTROL_PRIORITY, priority) | KAWARA_PUT(QUEUE_CONTROL_VECTOR, number));
}

void ChipBench::restart_after_reset(unsigned number) {
  rings_[number].tail = queue(number, KAWARA_QUEUE_HEAD);
  ring(number);
  write_queue(number, KAWARA_QUEUE_CONTROL, queue(number, KAWARA_QUEUE_CONTROL) | KAWARA_QUEUE_CONTROL_ENABLE);
}

void ChipBench::push(unsigned number, const kawara_packet& packet) {
  TestRing& ring = rings_[number];
  host<kawara_packet>(ring.bus + (ring.tail % ring.packets) * sizeof(kawara_packet)) = packet;
  ++ring.tail;
}

kawara_packet ChipBench::signal(uint64_t bus, uint64_t value, bool interrupt) {
  kawara_packet packet{{KAWARA_PACKET_SIGNAL}};
  if (interrupt) packet.word[KAWARA_SIGNAL_INTERRUPT_WORD] |= KAWARA_SIGNAL_INTERRUPT;
  std::memcpy(&packet.word[KAWARA_SIGNAL_ADDRESS_WORD], &bus, 8);
  std::memcpy(&packet.word[KAWARA_SIGNAL_VALUE_WORD], &value, 8);
  return packet;
}

kawara_packet ChipBench::clear(uint64_t address, uint64_t size) {
  kawara_packet packet{{KAWARA_PACKET_CLEAR}};
  std::memcpy(&packet.word[KAWARA_CLEAR_ADDRESS_WORD], &address, 8);
  std::memcpy(&packet.word[KAWARA_CLEAR_SIZE_WORD], &size, 8);
  return packet;
}

kawara_packet ChipBench::job(std::span<const std::byte> commands, std::span<const kawara_region> regions, uint64_t tag) {
  // Commands, regions and the record share a page each time: 2 KiB, 1 KiB, 64 bytes.
  if (commands.size() > 2048 || regions.size_bytes() > 1024) throw std::runtime_error("the bench's jobs are small");
  const uint64_t bus = host_pages(), address = next_address_;
  next_address_ += kPage;
  map(address, bus, kReadWrite);
  std::memcpy(host_bytes(bus), commands.data(), commands.size());
  if (!regions.empty()) std::memcpy(host_bytes(bus) + 2048, regions.data(), regions.size_bytes());
  last_commands_ = address;
  last_record_ = address + 3072;
  last_record_bus_ = bus + 3072;
  kawara_packet packet{{KAWARA_PACKET_RUN | KAWARA_PUT(RUN_CONTEXT, kContext), static_cast<uint32_t>(commands.size()),
                        static_cast<uint32_t>(regions.size())}};
  const uint64_t table = address + 2048;
  std::memcpy(&packet.word[KAWARA_RUN_COMMANDS_WORD], &address, 8);
  std::memcpy(&packet.word[KAWARA_RUN_REGIONS_WORD], &table, 8);
  std::memcpy(&packet.word[KAWARA_RUN_RECORD_WORD], &last_record_, 8);
  std::memcpy(&packet.word[KAWARA_RUN_TAG_WORD], &tag, 8);
  return packet;
}

kawara_packet ChipBench::nops(uint32_t count, uint64_t tag) {
  std::vector<std::byte> commands;
  for (uint32_t index = 0; index < count; ++index) {
    auto body = hw::blank<kawara_nop>();
    body.header.debug_id = 100 + index;
    const auto bytes = hw::encode(body);
    commands.insert(commands.end(), bytes.begin(), bytes.end());
  }
  return job(commands, {}, tag);
}

kawara_record& ChipBench::record() { return host<kawara_record>(last_record_bus_); }

size_t ChipBench::interrupts(unsigned vector) {
  const std::lock_guard lock(mutex_);
  return interrupts_.at(vector);
}

void ChipBench::hang(unsigned number, uint32_t command) {
  chip->write(KAWARA_REGISTER(TEST, 0, HANG),
              KAWARA_TEST_HANG_ARM | KAWARA_PUT(TEST_HANG_QUEUE, number) | KAWARA_PUT(TEST_HANG_COMMAND, command));
}

void ChipBench::on_run(Run run) {
  const std::lock_guard lock(mutex_);
  run_ = std::move(run);
}

Health ChipBench::retire_all(const Job&, uint32_t begin, uint32_t end, const Progress& progress) {
  for (uint32_t command = begin; command < end; ++command) progress.retired(command);
  return {};
}

std::vector<std::byte> vector_command(uint32_t debug_id) {
  const auto stream = [](uint32_t region) {
    kawara_stream stream{};
    stream.data = hw::operand(region, 0);
    stream.dtype = KAWARA_DTYPE_f32;
    stream.n_coord = 1;
    return stream;
  };
  const auto instr = [](uint8_t op, uint16_t number) {
    kawara_instr instr{};
    instr.op = op;
    instr.type = KAWARA_DTYPE_f32;
    instr.imm = number;
    return instr;
  };
  kawara_coord coord{};
  coord.stride = 1;
  coord.extent = 8;
  coord.coef[0] = 1;
  coord.den = 1;
  kawara_phase phase{};
  phase.end = 2;
  hw::Section section;
  section.extent[0] = 8;
  section.n_par = 1;
  section.n_in = 1;
  section.streams = {stream(0), stream(1)};
  section.coords = {coord};
  section.phases = {phase};
  section.instrs = {instr(KAWARA_OP_load, 0), instr(KAWARA_OP_store, 1)};
  auto body = hw::blank<kawara_vector>();
  body.header.debug_id = debug_id;
  return hw::encode(body, &section);
}

std::vector<std::byte> copy_command(uint32_t bytes, uint32_t debug_id) {
  auto body = hw::blank<kawara_copy>();
  body.header.engine = KAWARA_ENGINE_DMA_IN;
  body.header.debug_id = debug_id;
  body.dtype = KAWARA_DTYPE_u8;
  body.src = hw::operand(0, 0);
  body.dst = hw::operand(1, 0);
  body.extent[5] = body.src_extent[5] = bytes;
  body.src_stride[5] = body.dst_stride[5] = 1;
  return hw::encode(body);
}

kawara_region region(uint64_t address, uint64_t size, uint32_t flags) {
  return {.address = address, .size = size, .flags = flags, .reserved0 = 0, .reserved1 = 0};
}

}  // namespace kawara::emulator
