// SPDX-License-Identifier: Apache-2.0
// Every fault that the chip itself finds, with its place.
#include "emulator/chip/chip_bench.h"

namespace kawara::emulator {
namespace {

constexpr uint64_t kSource = 0x1000'0000, kTarget = 0x2000'0000;

class FaultTest : public ChipBench {
 protected:
  FaultTest() {
    on_run([this](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
      ++jobs_run;
      return retire_all(job, begin, end, progress);
    });
  }

  void map_local(uint64_t address, uint64_t target, uint64_t flags = kReadWrite) { map(address, target, flags | KAWARA_PTE_LOCAL); }

  // Queue 0 gets a nop, then this packet.
  ShownFault fault_of(const kawara_packet& packet) {
    start(0);
    push(0, nop());
    submit(0, packet);
    const ShownFault shown = wait_for_fault(0);
    EXPECT_EQ(queue(0, KAWARA_QUEUE_HEAD), 1u);
    EXPECT_EQ(jobs_run, 0u) << "nothing of a refused job runs";
    EXPECT_TRUE(wait_until([&] { return interrupts(KAWARA_VECTOR_MANAGEMENT) == 1; }));
    EXPECT_EQ(global(KAWARA_GLOBAL_INTERRUPT_STATUS), 1u);
    return shown;
  }
  uint64_t second_packet() const { return kBus + 4096 * 1 + 64; }  // the ring's page follows the root

  std::atomic<uint32_t> jobs_run = 0;
};

TEST_F(FaultTest, ATailBeyondTheRingIsABadDoorbell) {
  start(2, 0, 4, 7);
  write_queue(2, KAWARA_QUEUE_TAIL, 7 + 17);
  EXPECT_EQ(wait_for_fault(2), (ShownFault{.code = KAWARA_FAULT_bad_doorbell, .packet = 7}));
  EXPECT_EQ(global(KAWARA_GLOBAL_INTERRUPT_STATUS), 1u << 2);
}

TEST_F(FaultTest, ATailBeforeTheHeadIsABadDoorbell) {
  start(0, 0, 4, 7);
  write_queue(0, KAWARA_QUEUE_TAIL, 6);
  EXPECT_EQ(wait_for_fault(0).code, KAWARA_FAULT_bad_doorbell);
}

TEST_F(FaultTest, ARingOfNoAllowedSizeTakesNoPacket) {
  for (const uint32_t log2 : {0u, 3u, 13u, 15u}) {
    write_queue(1, KAWARA_QUEUE_RING_SIZE, log2);
    write_queue(1, KAWARA_QUEUE_TAIL, 1);
    write_queue(1, KAWARA_QUEUE_CONTROL, KAWARA_QUEUE_CONTROL_ENABLE);
    EXPECT_EQ(wait_for_fault(1).code, KAWARA_FAULT_bad_doorbell) << log2;
    write_queue(1, KAWARA_QUEUE_RESET, 1);
  }
}

TEST_F(FaultTest, AnUnknownPacketIsABadPacket) {
  EXPECT_EQ(fault_of({{99}}), (ShownFault{.code = KAWARA_FAULT_bad_packet, .packet = 1, .address = second_packet(), .field = 0}));
}

TEST_F(FaultTest, AReservedBitIsABadPacket) {
  kawara_packet packet = nop();
  packet.word[15] = 1u << 31;
  EXPECT_EQ(fault_of(packet), (ShownFault{.code = KAWARA_FAULT_bad_packet, .packet = 1, .address = second_packet(), .field = 60}));
}

TEST_F(FaultTest, AClearOutsideLocalMemoryIsABadPacket) {
  EXPECT_EQ(fault_of(clear(8 << 20, 0x1000)),
            (ShownFault{.code = KAWARA_FAULT_bad_packet, .packet = 1, .address = second_packet(), .field = 16}));
}

TEST_F(FaultTest, AClearThatStartsOutsideNamesItsAddress) {
  EXPECT_EQ(fault_of(clear(1ull << 63, 0x1000)),
            (ShownFault{.code = KAWARA_FAULT_bad_packet, .packet = 1, .address = second_packet(), .field = 8}));
}

TEST_F(FaultTest, AContextWithoutATableIsInvalid) {
  kawara_packet packet = nops(1);
  set_root(kContext, root());
  EXPECT_EQ(fault_of(packet), (ShownFault{.code = KAWARA_FAULT_context_invalid, .packet = 1}));
}

TEST_F(FaultTest, AContextThatTheChipDoesNotHaveIsInvalid) {
  kawara_packet packet = nops(1);
  packet.word[0] |= 256u << 16;
  EXPECT_EQ(fault_of(packet).code, KAWARA_FAULT_context_invalid);
}

TEST_F(FaultTest, ABadCommandIsNamedWithItsField) {
  auto commands = copy_command(16, 5);
  auto second = hw::encode(hw::blank<kawara_nop>());
  second[1] = std::byte{KAWARA_ENGINE_VE};
  second[4] = std::byte{77};
  const uint32_t place = static_cast<uint32_t>(commands.size());
  commands.insert(commands.end(), second.begin(), second.end());
  map_local(kSource, 0);
  const kawara_region regions[] = {region(kSource, 64), region(kSource + 64, 64)};
  EXPECT_EQ(fault_of(job(commands, regions)),
            (ShownFault{
                .code = KAWARA_FAULT_bad_command, .engine = KAWARA_ENGINE_VE, .packet = 1, .command = place, .debug_id = 77, .field = 1}));
}

TEST_F(FaultTest, CommandsThatAreNotMappedFault) {
  kawara_packet packet = nops(1);
  entry(last_commands(), 3) = 0;
  EXPECT_EQ(fault_of(packet), (ShownFault{.code = KAWARA_FAULT_page_fault, .packet = 1, .address = last_commands()}));
}

TEST_F(FaultTest, ARegionTableThatIsNotMappedFaults) {
  const kawara_region regions[] = {region(kSource, 64)};
  kawara_packet packet = job(hw::encode(hw::blank<kawara_nop>()), regions);
  packet.word[KAWARA_RUN_REGIONS_WORD] = 0x7000'0000;
  EXPECT_EQ(fault_of(packet), (ShownFault{.code = KAWARA_FAULT_page_fault, .packet = 1, .address = 0x7000'0000}));
}

TEST_F(FaultTest, CommandsOnAHostPageThatIsNotThereAreABusError) {
  kawara_packet packet = nops(1);
  map(last_commands(), 0x7000, kReadWrite);
  EXPECT_EQ(fault_of(packet), (ShownFault{.code = KAWARA_FAULT_host_bus_error, .packet = 1, .address = 0x7000}));
}

TEST_F(FaultTest, ARecordOnAReadOnlyPageFaults) {
  kawara_packet packet = nops(1);
  map(last_commands(), entry(last_commands(), 3) & KAWARA_PTE_ADDRESS, KAWARA_PTE_READ);
  EXPECT_EQ(fault_of(packet), (ShownFault{.code = KAWARA_FAULT_read_only, .write = true, .packet = 1, .address = last_record()}));
}

TEST_F(FaultTest, ARegionWithAHoleNamesTheCommandThatReadsIt) {
  map_local(kSource, 0);
  map_local(kTarget, 0x4000);
  auto commands = hw::encode(hw::blank<kawara_nop>());
  const auto copy = copy_command(16, 42);
  commands.insert(commands.end(), copy.begin(), copy.end());
  const kawara_region regions[] = {region(kSource, 5000), region(kTarget, 4096)};
  EXPECT_EQ(fault_of(job(commands, regions)), (ShownFault{.code = KAWARA_FAULT_page_fault,
                                                          .engine = KAWARA_ENGINE_DMA_IN,
                                                          .packet = 1,
                                                          .command = 32,
                                                          .debug_id = 42,
                                                          .address = kSource + 4096,
                                                          .field = offsetof(kawara_copy, src)}));
}

TEST_F(FaultTest, WritingToAReadOnlyPageNamesTheCommandThatWrites) {
  map_local(kSource, 0, KAWARA_PTE_READ);
  map_local(kTarget, 0x4000, KAWARA_PTE_READ);
  const kawara_region regions[] = {region(kSource, 4096), region(kTarget, 4096)};
  EXPECT_EQ(fault_of(job(copy_command(16, 43), regions)), (ShownFault{.code = KAWARA_FAULT_read_only,
                                                                      .engine = KAWARA_ENGINE_DMA_IN,
                                                                      .write = true,
                                                                      .packet = 1,
                                                                      .debug_id = 43,
                                                                      .address = kTarget,
                                                                      .field = offsetof(kawara_copy, dst)}));
}

TEST_F(FaultTest, AVectorCommandOnHostMemoryIsASplitRegion) {
  map_local(kSource, 0);
  map(kTarget, host_pages(), kReadWrite);
  const kawara_region regions[] = {region(kSource, 4096), region(kTarget, 4096)};
  const ShownFault shown = fault_of(job(vector_command(44), regions));
  const uint32_t output = sizeof(kawara_vector) + sizeof(kawara_section) + sizeof(kawara_stream);
  EXPECT_EQ(shown, (ShownFault{.code = KAWARA_FAULT_region_split,
                               .engine = KAWARA_ENGINE_VE,
                               .packet = 1,
                               .debug_id = 44,
                               .address = kTarget,
                               .field = output + static_cast<uint32_t>(offsetof(kawara_stream, data))}));
}

TEST_F(FaultTest, AVectorCommandOnScatteredLocalMemoryIsASplitRegion) {
  map_local(kSource, 0);
  map_local(kSource + 4096, 0x2000);
  map_local(kTarget, 0x4000);
  const kawara_region regions[] = {region(kSource, 8192), region(kTarget, 4096)};
  const ShownFault shown = fault_of(job(vector_command(), regions));
  EXPECT_EQ(shown.code, KAWARA_FAULT_region_split);
  EXPECT_EQ(shown.address, kSource + 4096);
}

TEST_F(FaultTest, ACopyOnAHostPageThatIsNotThereIsABusError) {
  map(kSource, 0x7000, kReadWrite);
  map_local(kTarget, 0x4000);
  const kawara_region regions[] = {region(kSource, 4096), region(kTarget, 4096)};
  const ShownFault shown = fault_of(job(copy_command(16, 45), regions));
  EXPECT_EQ(shown, (ShownFault{.code = KAWARA_FAULT_host_bus_error,
                               .engine = KAWARA_ENGINE_DMA_IN,
                               .packet = 1,
                               .debug_id = 45,
                               .address = 0x7000,
                               .field = offsetof(kawara_copy, src)}));
}

TEST_F(FaultTest, ASignalThatIsNotThereIsABusError) {
  EXPECT_EQ(fault_of(signal(0x7000, 1)), (ShownFault{.code = KAWARA_FAULT_host_bus_error, .write = true, .packet = 1, .address = 0x7000}));
  EXPECT_EQ(interrupts(0), 0u);
}

TEST_F(FaultTest, ARingThatIsNotThereIsABusError) {
  start(0);
  write_queue(0, KAWARA_QUEUE_RESET, 1);
  write_queue(0, KAWARA_QUEUE_RING_BASE_LO, 0x7000);
  write_queue(0, KAWARA_QUEUE_RING_BASE_HI, 0);
  write_queue(0, KAWARA_QUEUE_CONTROL, KAWARA_QUEUE_CONTROL_ENABLE);
  write_queue(0, KAWARA_QUEUE_TAIL, 1);
  EXPECT_EQ(wait_for_fault(0), (ShownFault{.code = KAWARA_FAULT_host_bus_error, .address = 0x7000}));
}

TEST_F(FaultTest, AFaultStopsItsOwnQueueOnlyUntilItIsReset) {
  start(0);
  start(1);
  submit(0, {{99}});
  wait_for_fault(0);
  push(0, nop());
  ring(0);
  submit(1, nop());
  EXPECT_TRUE(wait_for_head(1, 1));
  EXPECT_EQ(state(0), KAWARA_QUEUE_FAULTED);
  write_queue(0, KAWARA_QUEUE_CONTROL, 0);
  write_queue(0, KAWARA_QUEUE_CONTROL, KAWARA_QUEUE_CONTROL_ENABLE);
  EXPECT_EQ(state(0), KAWARA_QUEUE_FAULTED) << "enabling is no reset";
  write_queue(0, KAWARA_QUEUE_RESET, 1);
  EXPECT_EQ(state(0), KAWARA_QUEUE_DISABLED);
  EXPECT_EQ(fault(0).code, KAWARA_FAULT_bad_packet) << "it can still be read";
  restart_after_reset(0);
  EXPECT_EQ(fault(0), ShownFault{});
  submit(0, nop());
  EXPECT_TRUE(wait_for_head(0, 1));
}

TEST_F(FaultTest, TheFirstFaultStays) {
  std::atomic<bool> started = false, finish = false;
  on_run([&](const Job&, uint32_t, uint32_t, const Progress&) -> Health {
    started = true;
    wait_until([&] { return finish.load(); });
    throw std::runtime_error("a second fault, made on purpose");
  });
  start(0);
  submit(0, nops(1));
  ASSERT_TRUE(wait_until([&] { return started.load(); }));
  write_queue(0, KAWARA_QUEUE_TAIL, 1000);
  EXPECT_EQ(fault(0).code, KAWARA_FAULT_bad_doorbell) << "a wrong doorbell is told at once";
  EXPECT_EQ(state(0), KAWARA_QUEUE_RUNNING);
  finish = true;
  EXPECT_EQ(wait_for_fault(0).code, KAWARA_FAULT_bad_doorbell);
}

TEST_F(FaultTest, AJobThatOutlivesABadDoorbellRetiresAndItsQueueStops) {
  std::atomic<bool> started = false, finish = false;
  on_run([&](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
    started = true;
    wait_until([&] { return finish.load(); });
    return retire_all(job, begin, end, progress);
  });
  start(0);
  submit(0, nops(1));
  ASSERT_TRUE(wait_until([&] { return started.load(); }));
  write_queue(0, KAWARA_QUEUE_TAIL, 1000);
  finish = true;
  EXPECT_EQ(wait_for_fault(0), (ShownFault{.code = KAWARA_FAULT_bad_doorbell}));
  EXPECT_EQ(queue(0, KAWARA_QUEUE_HEAD), 1u);
  EXPECT_EQ(record().status, 1u);
}

TEST_F(FaultTest, ABadRowOfTheRegionTableIsNamedByItsPlaceInTheTable) {
  const kawara_region regions[] = {region(kSource, 64), region(1 << 20, 64, KAWARA_REGION_SRAM | KAWARA_REGION_READ)};
  const ShownFault shown = fault_of(job(hw::encode(hw::blank<kawara_nop>()), regions));
  EXPECT_EQ(shown.code, KAWARA_FAULT_bad_region) << "the scratchpad has 64 KiB";
  EXPECT_EQ(shown.field, sizeof(kawara_region) + offsetof(kawara_region, address));
}

TEST_F(FaultTest, AMaskedFaultInterruptsWhenItIsUnmaskedAndAgainWhenOneIsLeft) {
  chip->write(KAWARA_GLOBAL_INTERRUPT_MASK, 0x3);
  for (unsigned number : {0u, 1u}) {
    start(number);
    submit(number, {{99}});
    wait_for_fault(number);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(interrupts(KAWARA_VECTOR_MANAGEMENT), 0u);
  chip->write(KAWARA_GLOBAL_INTERRUPT_MASK, 0);
  EXPECT_TRUE(wait_until([&] { return interrupts(KAWARA_VECTOR_MANAGEMENT) == 1; }));
  chip->write(KAWARA_GLOBAL_INTERRUPT_STATUS, 1);
  EXPECT_EQ(global(KAWARA_GLOBAL_INTERRUPT_STATUS), 2u);
  EXPECT_TRUE(wait_until([&] { return interrupts(KAWARA_VECTOR_MANAGEMENT) == 2; }));
  chip->write(KAWARA_GLOBAL_INTERRUPT_STATUS, 2);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(interrupts(KAWARA_VECTOR_MANAGEMENT), 2u);
}

TEST_F(FaultTest, AnExecutorThatFailsIsAnInternalErrorAndStopsTheQueue) {
  on_run([](const Job&, uint32_t, uint32_t, const Progress& progress) -> Health {
    progress.retired(0);
    throw std::runtime_error("the test's executor fails on purpose");
  });
  start(0);
  submit(0, nops(3));
  EXPECT_EQ(wait_for_fault(0), (ShownFault{.code = KAWARA_FAULT_engine_hang, .command = 32, .debug_id = 101}));
  EXPECT_EQ(global(KAWARA_GLOBAL_INTERRUPT_STATUS), KAWARA_GLOBAL_INTERRUPT_STATUS_INTERNAL | 1u);
  EXPECT_EQ(record().status, 0u);
}

}  // namespace
}  // namespace kawara::emulator
