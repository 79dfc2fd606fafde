// SPDX-License-Identifier: Apache-2.0
// Address spaces, buffer objects and bindings.
#include <algorithm>

#include "conformance/client.h"

namespace kawara::conformance {
namespace {

using Memories = Conformance;
INSTANTIATE_TEST_SUITE_P(Node, Memories, testing::ValuesIn(subjects()), name_of);

TEST_P(Memories, TellsWhatTheChipHas) {
  const NodeInfo info = open()->info();
  EXPECT_FALSE(info.name.empty());
  EXPECT_GT(info.local_bytes, 0u);
  EXPECT_GT(info.sram_bytes, 0u);
  EXPECT_EQ(info.isa_version, 1u);
  EXPECT_EQ(info.va_end, uint64_t{1} << 39);
}

TEST_P(Memories, ABufferIsZeroAndRoundedUpToPages) {
  Client client(open());
  for (const Memory memory : {Memory::system, Memory::local}) {
    const TestBuffer buffer = client.buffer(memory, 5000);
    EXPECT_EQ(buffer.mapping.bytes().size(), 8192u);
    EXPECT_TRUE(std::ranges::all_of(buffer.mapping.bytes(), [](std::byte byte) { return byte == std::byte{0}; }));
  }
}

TEST_P(Memories, LocalMemoryIsZeroAgainForTheNextOwner) {
  Client client(open());
  TestBuffer first = client.buffer(Memory::local, kPage);
  std::ranges::fill(first.mapping.bytes(), std::byte{0xee});
  client.unbind(first);
  first.mapping = {};
  client.node->bo_close(first.bo);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(
        std::ranges::all_of(client.buffer(Memory::local, kPage).mapping.bytes(), [](std::byte byte) { return byte == std::byte{0}; }));
  }
}

TEST_P(Memories, LocalMemoryEndsAndComesBack) {
  const auto node = open();
  const VmId vm = node->vm_create();
  const uint64_t free = node->info().local_free_bytes;
  const BoId most = node->bo_create(vm, Memory::local, free);
  EXPECT_EQ(node->info().local_free_bytes, 0u);
  EXPECT_EQ(code_of([&] { node->bo_create(vm, Memory::local, kPage); }), "out_of_memory");
  node->bo_close(most);
  EXPECT_EQ(node->info().local_free_bytes, free);
  EXPECT_NO_THROW(node->bo_create(vm, Memory::local, free));
}

TEST_P(Memories, AMappingOutlivesItsHandle) {
  const auto node = open();
  const VmId vm = node->vm_create();
  const BoId bo = node->bo_create(vm, Memory::local, kPage);
  const Mapping mapping = node->bo_map(bo);
  const uint64_t free = node->info().local_free_bytes;
  node->bo_close(bo);
  mapping.bytes()[0] = std::byte{1};
  EXPECT_EQ(node->info().local_free_bytes, free);
}

TEST_P(Memories, RefusesBuffersThatCannotBe) {
  const auto node = open();
  const VmId vm = node->vm_create();
  EXPECT_EQ(code_of([&] { node->bo_create(vm, Memory::local, 0); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { node->bo_create(vm, Memory::local, ~uint64_t{0}); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { node->bo_create(vm, Memory{3}, kPage); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { node->bo_create(VmId{99}, Memory::local, kPage); }), "not_found");
  EXPECT_EQ(code_of([&] { node->bo_map(BoId{99}); }), "not_found");
  EXPECT_EQ(code_of([&] { node->bo_close(BoId{99}); }), "not_found");
}

TEST_P(Memories, AnAddressSpaceIsDestroyedOnce) {
  const auto node = open();
  const VmId vm = node->vm_create();
  node->vm_destroy(vm);
  EXPECT_EQ(code_of([&] { node->vm_destroy(vm); }), "not_found");
}

TEST_P(Memories, AnAddressSpaceWithQueuesIsNotDestroyed) {
  Client client(open());
  EXPECT_EQ(code_of([&] { client.node->vm_destroy(client.vm); }), "invalid_argument");
  client.node->queue_destroy(client.queue);
  EXPECT_NO_THROW(client.node->vm_destroy(client.vm));
}

TEST_P(Memories, AClientHasAtMost64AddressSpacesAtATime) {
  const auto node = open();
  std::vector<VmId> vms;
  for (int i = 0; i < 64; ++i) vms.push_back(node->vm_create());
  EXPECT_EQ(code_of([&] { node->vm_create(); }), "out_of_memory");
  node->vm_destroy(vms[5]);
  EXPECT_NO_THROW(node->vm_create());
}

TEST_P(Memories, ContextsComeBack) {
  const auto node = open();
  for (int i = 0; i < 600; ++i) {  // more than the chip has, one after another
    const VmId vm = node->vm_create();
    node->vm_destroy(vm);
  }
}

// Each row breaks one rule of a binding that is good otherwise.
TEST_P(Memories, RefusesBindingsThatBreakARule) {
  Client client(open());
  const BoId bo = client.node->bo_create(client.vm, Memory::system, 4 * kPage);
  const VmId other = client.node->vm_create();
  const BindOp good{.bo = bo, .address = DeviceAddress{0x100000}, .size_bytes = 4 * kPage};
  const auto refused = [&](auto change, VmId vm) {
    BindOp op = good;
    change(op);
    return code_of([&] { client.node->bind(vm, {&op, 1}); });
  };
  const auto nothing = [](BindOp&) {};
  EXPECT_EQ(refused([](BindOp& op) { op.address = DeviceAddress{0x100001}; }, client.vm), "invalid_argument");
  EXPECT_EQ(refused([](BindOp& op) { op.size_bytes = 100; }, client.vm), "invalid_argument");
  EXPECT_EQ(refused([](BindOp& op) { op.size_bytes = 0; }, client.vm), "invalid_argument");
  EXPECT_EQ(refused([](BindOp& op) { op.bo_offset = 1; }, client.vm), "invalid_argument");
  EXPECT_EQ(refused([](BindOp& op) { op.bo_offset = kPage; }, client.vm), "invalid_argument") << "runs over the buffer's end";
  EXPECT_EQ(refused([](BindOp& op) { op.bo_offset = 0 - kPage; }, client.vm), "invalid_argument");
  EXPECT_EQ(refused([](BindOp& op) { op.address = DeviceAddress{0xf000}; }, client.vm), "invalid_argument") << "in the guard";
  EXPECT_EQ(refused([](BindOp& op) { op.address = DeviceAddress{(uint64_t{1} << 39) - kPage}; }, client.vm), "invalid_argument");
  EXPECT_EQ(refused([](BindOp& op) { op.address = DeviceAddress{0 - kPage}; }, client.vm), "invalid_argument");
  EXPECT_EQ(refused([](BindOp& op) { op.bo = BoId{99}; }, client.vm), "not_found");
  EXPECT_EQ(refused(nothing, VmId{99}), "not_found");
  EXPECT_EQ(refused(nothing, other), "invalid_argument") << "the buffer is another address space's";
  EXPECT_EQ(refused([](BindOp& op) { op.kind = BindOp::Kind::unmap; }, client.vm), "not_found");
  EXPECT_EQ(refused(nothing, client.vm), "");
  EXPECT_EQ(refused(nothing, client.vm), "invalid_argument") << "it is bound already";
  EXPECT_EQ(refused([](BindOp& op) { op.address = DeviceAddress{0x103000}; }, client.vm), "invalid_argument") << "overlaps from above";
  EXPECT_EQ(refused([](BindOp& op) { op.address = DeviceAddress{0xfd000}; }, client.vm), "invalid_argument") << "overlaps from below";
  EXPECT_EQ(refused([](BindOp& op) { op.kind = BindOp::Kind::unmap, op.size_bytes = kPage; }, client.vm), "not_found") << "in part";
  EXPECT_EQ(code_of([&] { client.node->bind(client.vm, std::vector<BindOp>(1025, good)); }), "invalid_argument");
}

TEST_P(Memories, BindsAllOrNothing) {
  Client client(open());
  const TestBuffer bound = client.buffer(Memory::system, 2 * kPage);
  const BoId bo = client.node->bo_create(client.vm, Memory::system, kPage);
  const BindOp unmap{.kind = BindOp::Kind::unmap, .address = DeviceAddress{bound.address}, .size_bytes = bound.size};
  const BindOp map{.bo = bo, .address = DeviceAddress{0x40000000}, .size_bytes = kPage};
  const BindOp bad{.bo = bo, .address = DeviceAddress{0x1000}, .size_bytes = kPage};
  const BindOp operations[] = {unmap, map, bad};
  EXPECT_EQ(code_of([&] { client.node->bind(client.vm, operations); }), "invalid_argument");
  EXPECT_NO_THROW(client.node->bind(client.vm, {&map, 1})) << "its range is still free";
  EXPECT_NO_THROW(client.node->bind(client.vm, {&unmap, 1})) << "and the other's still bound";
}

TEST_P(Memories, ALaterOperationSeesAnEarlierOne) {
  Client client(open());
  const TestBuffer buffer = client.buffer(Memory::system, kPage);
  const BindOp unmap{.kind = BindOp::Kind::unmap, .address = DeviceAddress{buffer.address}, .size_bytes = buffer.size};
  const BindOp map{.bo = buffer.bo, .address = DeviceAddress{buffer.address}, .size_bytes = buffer.size};
  const BindOp operations[] = {unmap, map, unmap};
  EXPECT_NO_THROW(client.node->bind(client.vm, operations));
  EXPECT_NO_THROW(client.node->bind(client.vm, {&map, 1}));
}

}  // namespace
}  // namespace kawara::conformance
