// SPDX-License-Identifier: Apache-2.0
// A client of a node, as tests want one: an address space, a timeline, and buffers that are bound and mapped when made.
#pragma once

#include <atomic>
#include <chrono>
#include <cstring>
#include <span>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/subject.h"
#include "kawara/error.h"
#include "kawara/hw/encode.h"
#include "node.h"

namespace kawara::conformance {

using namespace std::chrono_literals;

inline constexpr uint64_t kPage = 4096;

inline Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }
// Nothing that works takes as long; what never comes ends the test here.
inline Deadline soon() { return in(20s); }

// Name of the code that `body` throws, "" without one.
template <typename Body>
std::string code_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return std::string(name(error.code()));
  }
  return "";
}

struct TestBuffer {
  BoId bo{};
  uint64_t address = 0;
  uint64_t size = 0;
  Mapping mapping;

  template <typename Value>
  std::span<Value> as() const {
    return {reinterpret_cast<Value*>(mapping.bytes().data()), mapping.bytes().size() / sizeof(Value)};
  }
};

// A job's parts in buffers of their own.
struct TestJob {
  TestBuffer commands, regions, record;
  NodeJob job;

  const kawara_record& result() const { return *record.as<kawara_record>().data(); }
  bool done() const { return std::atomic_ref(record.as<kawara_record>()[0].status).load(std::memory_order_acquire) == 1; }
};

class Client {
 public:
  explicit Client(std::unique_ptr<Node> opened)
      : node(std::move(opened)),
        vm(node->vm_create()),
        queue(node->queue_create(vm, Priority::normal, 10s)),
        timeline(node->timeline_create()) {}

  TestBuffer buffer(Memory memory, uint64_t size_bytes) {
    TestBuffer buffer{.bo = node->bo_create(vm, memory, size_bytes),
                      .address = next_address_,
                      .size = (size_bytes + kPage - 1) / kPage * kPage,
                      .mapping = {}};
    buffer.mapping = node->bo_map(buffer.bo);
    next_address_ += buffer.size + kPage;
    bind(buffer);
    return buffer;
  }
  void bind(const TestBuffer& buffer) {
    const BindOp op{.bo = buffer.bo, .address = DeviceAddress{buffer.address}, .size_bytes = buffer.size};
    node->bind(vm, {&op, 1});
  }
  void unbind(const TestBuffer& buffer) {
    const BindOp op{.kind = BindOp::Kind::unmap, .address = DeviceAddress{buffer.address}, .size_bytes = buffer.size};
    node->bind(vm, {&op, 1});
  }

  TestJob job(std::span<const std::byte> commands, std::vector<kawara_region> regions) {
    TestJob job{.commands = buffer(Memory::local, commands.size()),
                .regions = buffer(Memory::system, regions.size() * sizeof(kawara_region)),
                .record = buffer(Memory::system, sizeof(kawara_record)),
                .job = {}};
    std::memcpy(job.commands.mapping.bytes().data(), commands.data(), commands.size());
    std::memcpy(job.regions.mapping.bytes().data(), regions.data(), regions.size() * sizeof(kawara_region));
    job.job = {.commands = DeviceAddress{job.commands.address},
               .command_bytes = static_cast<uint32_t>(commands.size()),
               .regions = DeviceAddress{job.regions.address},
               .region_count = static_cast<uint32_t>(regions.size()),
               .record = DeviceAddress{job.record.address},
               .tag = next_tag_++};
    return job;
  }

  // Copies `bytes` bytes between two buffers, of any memory.
  TestJob copy_job(const TestBuffer& from, const TestBuffer& to, uint32_t bytes) {
    return job(copy(KAWARA_ENGINE_DMA_IN, 0, 1, bytes, 0), {region(from, KAWARA_REGION_READ), region(to, KAWARA_REGION_WRITE)});
  }
  // out = max(in, 0), floats: copied to local memory, computed there and copied back.
  TestJob relu_job(const TestBuffer& in, const TestBuffer& out) {
    const TestBuffer before = buffer(Memory::local, in.size), after = buffer(Memory::local, in.size);
    const auto count = static_cast<uint32_t>(in.size / sizeof(float));
    std::vector<std::byte> commands = copy(KAWARA_ENGINE_DMA_IN, 0, 1, in.size, 0);
    append(commands, relu(1, 2, count, hw::wait(KAWARA_ENGINE_DMA_IN, 1)));
    append(commands, copy(KAWARA_ENGINE_DMA_OUT, 2, 3, in.size, hw::wait(KAWARA_ENGINE_VE, 1)));
    return job(commands, {region(in, KAWARA_REGION_READ), region(before, KAWARA_REGION_READ | KAWARA_REGION_WRITE),
                          region(after, KAWARA_REGION_READ | KAWARA_REGION_WRITE), region(out, KAWARA_REGION_WRITE)});
  }
  // Refused before anything runs: `dtype` holds no type.
  TestJob bad_job(const TestBuffer& from, const TestBuffer& to) {
    TestJob job = copy_job(from, to, 16);
    job.commands.as<kawara_copy>()[0].dtype = 77;
    return job;
  }
  static kawara_region region(const TestBuffer& buffer, uint32_t access) {
    return {.address = buffer.address, .size = buffer.size, .flags = access | KAWARA_REGION_MEMORY, .reserved0 = 0, .reserved1 = 0};
  }

  // Submits on a queue and gives the point that tells its end.
  Point submit(QueueId on, std::span<const NodeJob> jobs, std::span<const Point> waits = {}) {
    const Point end{timeline, ++last_point_};
    node->submit(on, jobs, waits, {&end, 1});
    return end;
  }
  Point submit(const TestJob& job) { return submit(queue, {&job.job, 1}); }
  bool wait(Point point, Deadline deadline = soon()) { return node->wait({&point, 1}, deadline, true).has_value(); }
  bool run(const TestJob& job) { return wait(submit(job)); }
  QueueState state() const { return node->queue_state(queue); }

  std::unique_ptr<Node> node;
  VmId vm;
  QueueId queue;
  TimelineId timeline;

 private:
  // One command each; regions by number.
  static std::vector<std::byte> copy(uint8_t engine, uint32_t from, uint32_t to, uint64_t bytes, uint32_t wait) {
    auto copy = hw::blank<kawara_copy>();
    copy.header.engine = engine;
    copy.header.debug_id = 7;
    copy.header.wait[0] = wait;
    copy.extent[5] = copy.src_extent[5] = static_cast<uint32_t>(bytes);
    copy.src = hw::operand(from, 0);
    copy.dst = hw::operand(to, 0);
    copy.src_stride[5] = copy.dst_stride[5] = 1;
    copy.dtype = KAWARA_DTYPE_u8;
    return hw::encode(copy);
  }
  static std::vector<std::byte> relu(uint32_t from, uint32_t to, uint32_t count, uint32_t wait) {
    auto vector = hw::blank<kawara_vector>();
    vector.header.debug_id = 8;
    vector.header.wait[0] = wait;
    const auto stream = [](uint32_t region, uint8_t coord) {
      kawara_stream stream{};
      stream.data = hw::operand(region, 0);
      stream.dtype = KAWARA_DTYPE_f32;
      stream.first_coord = coord;
      stream.n_coord = 1;
      return stream;
    };
    kawara_coord coord{};
    coord.stride = coord.coef[0] = 1;
    coord.extent = count;
    coord.den = 1;
    const auto instr = [](uint8_t op, uint8_t b, uint16_t imm) {
      kawara_instr instr{};
      instr.op = op;
      instr.b = b;
      instr.type = KAWARA_DTYPE_f32;
      instr.imm = imm;
      return instr;
    };
    kawara_phase phase{};
    phase.step = phase.after = phase.end = 3;
    const hw::Section section{
        .extent = {count},
        .n_par = 1,
        .n_in = 1,
        .streams = {stream(from, 0), stream(to, 1)},
        .coords = {coord, coord},
        .constants = {0},
        .phases = {phase},
        .instrs = {instr(KAWARA_OP_load, 0, 0), instr(KAWARA_OP_max, KAWARA_SOURCE_CONSTANT, 0), instr(KAWARA_OP_store, 0, 1)}};
    return hw::encode(vector, &section);
  }
  static void append(std::vector<std::byte>& commands, const std::vector<std::byte>& command) {
    commands.insert(commands.end(), command.begin(), command.end());
  }

  uint64_t next_address_ = 1 << 20, last_point_ = 0, next_tag_ = 100;
};

class Conformance : public testing::TestWithParam<Subject> {
 protected:
  void SetUp() override {
    const std::string missing = GetParam().missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
  }
  std::unique_ptr<Node> open() const { return GetParam().open(); }
};

}  // namespace kawara::conformance
