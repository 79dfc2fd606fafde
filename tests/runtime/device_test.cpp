// SPDX-License-Identifier: Apache-2.0
#include "kawara/device.h"

#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hw/sample_commands.h"
#include "kawara/error.h"
#include "kawara/hw/encode.h"

namespace kawara {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kName = "emulator:reference,config=k1-mini";

// "code: message" of the Error that `body` throws, "" without one.
std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return std::string(name(error.code())) + ": " + error.what();
  }
  return "";
}

// A copy of `bytes` bytes, ready to submit.
struct CopyJob {
  CopyJob(const Device& device, const Buffer& from, const Buffer& to, uint32_t bytes)
      : commands(device.allocate(4096, Memory::local)), regions(device.allocate(4096, Memory::system)) {
    auto copy = hw::blank<kawara_copy>();
    copy.header.engine = KAWARA_ENGINE_DMA_OUT;
    copy.extent[5] = copy.src_extent[5] = bytes;
    copy.src = hw::operand(0, 0);
    copy.dst = hw::operand(1, 0);
    copy.src_stride[5] = copy.dst_stride[5] = 1;
    copy.dtype = KAWARA_DTYPE_u8;
    const auto encoded = hw::encode(copy);
    std::ranges::copy(encoded, commands.bytes().begin());
    const kawara_region table[] = {{.address = static_cast<uint64_t>(from.address()),
                                    .size = from.size_bytes(),
                                    .flags = KAWARA_REGION_READ,
                                    .reserved0 = 0,
                                    .reserved1 = 0},
                                   {.address = static_cast<uint64_t>(to.address()),
                                    .size = to.size_bytes(),
                                    .flags = KAWARA_REGION_WRITE,
                                    .reserved0 = 0,
                                    .reserved1 = 0}};
    std::memcpy(regions.bytes().data(), table, sizeof table);
    job = {
        .commands = &commands, .command_bytes = static_cast<uint32_t>(encoded.size()), .regions = &regions, .region_count = 2, .tag = 77};
  }
  CopyJob(const CopyJob&) = delete;

  void spoil() { commands.bytes()[offsetof(kawara_copy, dtype)] = std::byte{99}; }

  Buffer commands, regions;
  DeviceJob job;
};

TEST(DeviceNames, OpenWhatTheySay) {
  for (const char* name : {"emulator:reference,config=k1-mini", "emulator:config=k1-mini,reference", "emulator:reference:config=k1-mini",
                           "emulator:0,config=k1-mini,reference"}) {
    const Device device = Device::open(name);
    EXPECT_EQ(device.name(), "emulator:reference,config=k1-mini") << name;
    EXPECT_EQ(device.config(), "k1-mini");
    EXPECT_EQ(device.executor(), "reference");
    EXPECT_EQ(device.kind(), "emulator");
    EXPECT_EQ(device.local_bytes(), uint64_t{256} << 20);
    EXPECT_EQ(device.sram_bytes(), uint64_t{2} << 20);
  }
}

TEST(DeviceNames, ListWhatThereIsWhenUnknown) {
  for (const char* name : {"gpu", "", "emulators", "emulator:fast", "emulator:1x", "emulator:-1", "emulator:99999999999"}) {
    EXPECT_THAT(error_of([&] { Device::open(name); }), AllOf(HasSubstr("not_found"), HasSubstr("'emulator:reference,config=k1-mini'")))
        << name;
  }
  EXPECT_THAT(error_of([] { Device::open("emulator:config=k9"); }), AllOf(HasSubstr("not_found"), HasSubstr("'k1-mini'")));
}

TEST(DeviceNames, TellTheReferenceExecutorInWhichOrderToRun) {
  for (const char* name : {"emulator:reference,config=k1-mini,1,order=18446744073709551615",
                           "emulator:order=18446744073709551615,1,reference:config=k1-mini"}) {
    const Device device = Device::open(name);
    EXPECT_EQ(device.name(), "emulator:reference,config=k1-mini,1,order=18446744073709551615");
    EXPECT_EQ(Device::open(device.name()).name(), device.name());
    EXPECT_EQ(device.executor(), "reference");
  }
  for (const char* seed : {"", "-1", "0x1", "7 ", "seven", "18446744073709551616"})
    EXPECT_EQ(
        error_of([&] { Device::open(fmt::format("emulator:reference,order={}", seed)); }),
        fmt::format("invalid_argument: device 'emulator:reference,order={}': order= takes a seed, a whole number below 2^64, got '{}'",
                    seed, seed));
  for (const char* name : {"emulator:order=7", "emulator:order=7,vulkan", "emulator:vulkan,order=7"})
    EXPECT_THAT(error_of([&] { Device::open(name); }), AllOf(HasSubstr("invalid_argument"), HasSubstr("only the executor 'reference'"),
                                                             HasSubstr("and this is 'vulkan': write 'emulator:reference,order=")));
}

TEST(DeviceNames, OfAnotherOrderAreAnotherChip) {
  const Device plain = Device::open(kName), seeded = Device::open("emulator:reference,config=k1-mini,order=0");
  const uint64_t all = plain.local_free_bytes();
  const Buffer buffer = seeded.allocate(1 << 20, Memory::local);
  EXPECT_EQ(plain.local_free_bytes(), all);
}

TEST(DeviceNames, OfAKernelNodeAreUnavailable) {
  EXPECT_THAT(error_of([] { Device::open("/dev/accel/accel0"); }), AllOf(HasSubstr("device_unavailable"), HasSubstr("/dev/accel/accel0")));
}

TEST(DeviceNames, OfAnExecutorThatIsNotLinkedAreUnavailable) {
  for (const char* name : {"auto", "emulator", "emulator:vulkan,config=k1-mini"}) {
    EXPECT_THAT(error_of([&] { Device::open(name); }), AllOf(HasSubstr("device_unavailable"), HasSubstr("'vulkan'"))) << name;
  }
}

TEST(DeviceNames, InTheListOpen) {
  const auto devices = Device::list();
  const auto mini = std::ranges::find(devices, kName, &DeviceDescription::name);
  ASSERT_NE(mini, devices.end());
  EXPECT_EQ(mini->local_bytes, Device::open(mini->name).local_bytes());
}

TEST(Device, OfOneNameShareAChip) {
  const Device first = Device::open(kName), second = Device::open(kName), other = Device::open("emulator:reference,config=k1-mini,1");
  const uint64_t all = first.local_free_bytes();
  const Buffer buffer = second.allocate(1 << 20, Memory::local);
  EXPECT_LT(first.local_free_bytes(), all);
  EXPECT_EQ(other.local_free_bytes(), all);
}

TEST(Buffer, GivesItsMemoryBack) {
  const Device device = Device::open(kName);
  const uint64_t all = device.local_free_bytes();
  {
    Buffer buffer = device.allocate(100 << 20, Memory::local);
    EXPECT_EQ(buffer.size_bytes(), 100u << 20);
    EXPECT_EQ(device.local_free_bytes(), all - (100 << 20));
    EXPECT_THAT(error_of([&] { device.allocate(200 << 20, Memory::local); }), HasSubstr("out_of_memory"));
    buffer = Buffer();
    EXPECT_EQ(device.local_free_bytes(), all);
  }
  EXPECT_THAT(error_of([&] { device.allocate(0, Memory::local); }), HasSubstr("invalid_argument"));
  EXPECT_THAT(error_of([&] { device.allocate(std::numeric_limits<uint64_t>::max(), Memory::system); }), HasSubstr("invalid_argument"));
}

TEST(Buffer, OutlivesItsDevice) {
  Buffer buffer = Device::open(kName).allocate(5000, Memory::local);
  EXPECT_EQ(buffer.size_bytes(), 8192u);
  EXPECT_EQ(buffer.memory(), Memory::local);
  buffer.bytes()[8191] = std::byte{1};
}

TEST(Fence, TellsThatAJobIsDone) {
  const Device device = Device::open(kName);
  const Buffer from = device.allocate(4096, Memory::system), to = device.allocate(4096, Memory::local);
  from.bytes()[0] = std::byte{17};
  const CopyJob copy(device, from, to, 16);
  const Fence fence = device.submit(copy.job);
  EXPECT_EQ(fence.wait(10s), WaitResult::signaled);
  EXPECT_TRUE(fence.done());
  EXPECT_EQ(to.bytes()[0], std::byte{17});
  EXPECT_EQ(fence.report().commands, 1u);
  EXPECT_EQ(fence.fault(), std::nullopt);
}

// A copy, then a product of 5 terms with exp behind it, then exp and erf: one command of each kind.
TEST(Fence, TellsHowNearTheResultsAre) {
  const Device device = Device::open(kName);
  const Buffer from = device.allocate(4096, Memory::system), to = device.allocate(4096, Memory::local);
  CopyJob job(device, from, to, 64);
  hw::Commands commands;
  commands.append(job.commands.bytes().first(job.job.command_bytes));
  auto gemm = hw::blank<kawara_gemm>();
  gemm.K = 5;
  gemm.acc_dtype = gemm.a.dtype = gemm.b.dtype = KAWARA_DTYPE_f32;
  gemm.a.data = gemm.b.data = hw::operand(1, 0);
  gemm.a.stride[3] = gemm.b.stride[2] = 1;
  gemm.header.wait[0] = kawara_wait(KAWARA_ENGINE_DMA_OUT, 1);
  const hw::Section epilogue{.acc_group = 1,
                             .streams = {hw::stream(hw::operand(1, 256), 0, 0)},
                             .phases = {hw::phase(0, 0, 0, 0, 2)},
                             .instrs = {hw::instr(KAWARA_OP_exp, 0, hw::kAccumulator), hw::store(0, 0)}};
  commands.append(hw::encode(gemm, &epilogue));
  auto vector = hw::blank<kawara_vector>();
  vector.header.wait[0] = kawara_wait(KAWARA_ENGINE_ME, 1);
  const hw::Section functions{.n_in = 1,
                              .streams = {hw::stream(hw::operand(1, 256), 0, 0), hw::stream(hw::operand(1, 260), 0, 0)},
                              .phases = {hw::phase(0, 0, 0, 0, 4)},
                              .instrs = {hw::load(0, 0), hw::instr(KAWARA_OP_erf, 0, 0), hw::instr(KAWARA_OP_exp, 0, 0), hw::store(1, 0)}};
  commands.append(hw::encode(vector, &functions));
  std::ranges::copy(commands.bytes(), job.commands.bytes().begin());
  job.job.command_bytes = static_cast<uint32_t>(commands.bytes().size());
  reinterpret_cast<kawara_region*>(job.regions.bytes().data())[1].flags = KAWARA_REGION_READ | KAWARA_REGION_WRITE;

  const Fence fence = device.submit(job.job);
  EXPECT_EQ(fence.wait(10s), WaitResult::signaled);
  const Fidelity fidelity = fence.report().fidelity;
  EXPECT_EQ(fidelity.exact, 1u);
  EXPECT_EQ(fidelity.bounded, 1u);
  EXPECT_EQ(fidelity.device_dependent, 1u);
  EXPECT_DOUBLE_EQ(fidelity.bound_ulp, 1.324) << "erf's row";
  EXPECT_EQ(fidelity.depth_max, 5u);

  job.commands.bytes()[0] = std::byte{0xff};
  EXPECT_EQ(fence.report().commands, 3u) << "the chip's record stays";
  EXPECT_EQ(fence.report().fidelity.exact, 0u) << "what stands there now is no command";
}

TEST(Fence, OfNoJobIsDone) {
  const Fence fence;
  EXPECT_TRUE(fence.done());
  EXPECT_EQ(fence.wait(0s), WaitResult::signaled);
}

TEST(Fence, WaitsForEverWithoutOverflow) {
  const Device device = Device::open(kName);
  const Buffer from = device.allocate(4096, Memory::system), to = device.allocate(4096, Memory::local);
  const CopyJob copy(device, from, to, 16);
  EXPECT_EQ(device.submit(copy.job).wait(std::chrono::nanoseconds::max()), WaitResult::signaled);
  EXPECT_NO_THROW(device.submit(copy.job).wait());
}

TEST(Fence, ThrowsTheFaultInWords) {
  const Device device = Device::open(kName);
  const Buffer from = device.allocate(4096, Memory::system), to = device.allocate(4096, Memory::local);
  CopyJob copy(device, from, to, 16);
  copy.spoil();
  const Fence fence = device.submit(copy.job);
  EXPECT_THAT(error_of([&] { fence.wait(); }),
              AllOf(HasSubstr("device_fault: bad_command"), HasSubstr("command 0 (copy) at byte 0x0, field dtype at byte 168")));
  EXPECT_TRUE(fence.done());
  ASSERT_TRUE(fence.fault().has_value());
  EXPECT_EQ(fence.fault()->tag, 77u);
  EXPECT_EQ(fence.report().commands, 0u);
}

TEST(Device, TakesNoJobsAfterAFaultUntilItsQueueIsRenewed) {
  const Device device = Device::open(kName);
  const Buffer from = device.allocate(4096, Memory::system), to = device.allocate(4096, Memory::local);
  CopyJob bad(device, from, to, 16);
  const CopyJob good(device, from, to, 16);
  bad.spoil();
  const Fence failed = device.submit(bad.job);
  EXPECT_THAT(error_of([&] { failed.wait(); }), HasSubstr("device_fault"));
  EXPECT_THAT(error_of([&] { device.submit(good.job); }), HasSubstr("queue_dead"));
  device.renew_queue();
  EXPECT_NO_THROW(device.submit(good.job).wait());
  EXPECT_THAT(error_of([&] { failed.wait(); }), HasSubstr("device_fault")) << "an old fence still tells its own";
}

TEST(Fence, OfAJobBehindAFaultSaysThatTheQueueDied) {
  const Device device = Device::open(kName);
  const Buffer from = device.allocate(4 << 20, Memory::system), to = device.allocate(4 << 20, Memory::local);
  CopyJob bad(device, from, to, 16);
  bad.spoil();
  const CopyJob slow(device, from, to, 4 << 20), good(device, from, to, 16);
  const Fence first = device.submit(slow.job), failed = device.submit(bad.job);
  Fence behind;
  if (!error_of([&] { behind = device.submit(good.job); }).empty()) GTEST_SKIP() << "the fault was faster than the next submission";
  EXPECT_NO_THROW(first.wait());
  EXPECT_THAT(error_of([&] { behind.wait(); }), AllOf(HasSubstr("queue_dead"), HasSubstr("bad_command")));
  EXPECT_EQ(behind.fault(), std::nullopt);
}

TEST(Device, RefusesJobsThatDoNotFitTheirBuffers) {
  const Device device = Device::open(kName), other = Device::open(kName);
  const Buffer from = device.allocate(4096, Memory::system), to = device.allocate(4096, Memory::local);
  const CopyJob copy(device, from, to, 16);
  const auto refused = [&](const Device& on, const std::function<void(DeviceJob&)>& change) {
    DeviceJob job = copy.job;
    change(job);
    return error_of([&] { on.submit(job); });
  };
  EXPECT_THAT(refused(device, [](DeviceJob& job) { job.commands = nullptr; }), HasSubstr("invalid_argument"));
  EXPECT_THAT(refused(device, [](DeviceJob& job) { job.command_bytes = 4112; }), HasSubstr("invalid_argument"));
  EXPECT_THAT(refused(device, [](DeviceJob& job) { job.command_bytes = 8; }), HasSubstr("invalid_argument"));
  EXPECT_THAT(refused(device, [](DeviceJob& job) { job.region_count = 129; }), HasSubstr("invalid_argument"));
  EXPECT_THAT(refused(device, [](DeviceJob& job) { job.regions = nullptr; }), HasSubstr("invalid_argument"));
  EXPECT_THAT(refused(other, [](DeviceJob&) {}), HasSubstr("another device's"));
  EXPECT_EQ(refused(device, [](DeviceJob&) {}), "");
}

TEST(Device, MayBeUsedFromManyThreads) {
  const Device device = Device::open(kName);
  std::vector<std::thread> threads;
  for (int i = 1; i <= 4; ++i) {
    threads.emplace_back([device, i] {
      const Buffer from = device.allocate(4096, Memory::system), to = device.allocate(4096, Memory::local);
      const CopyJob copy(device, from, to, 16);
      for (int round = 0; round < 50; ++round) {
        from.bytes()[0] = std::byte(i * round);
        device.submit(copy.job).wait();
        ASSERT_EQ(to.bytes()[0], std::byte(i * round));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Device, TakesManyJobsAtOnce) {
  const Device device = Device::open(kName);
  const Buffer from = device.allocate(4096, Memory::system), to = device.allocate(4096, Memory::local);
  const CopyJob copy(device, from, to, 16);
  std::vector<Fence> fences;
  for (int i = 0; i < 500; ++i) fences.push_back(device.submit(copy.job));
  for (const Fence& fence : fences) EXPECT_NO_THROW(fence.wait());
}

TEST(Device, MayGoWhileItsJobsRun) {
  for (int round = 0; round < 5; ++round) {
    const Device device = Device::open(kName);
    const Buffer from = device.allocate(1 << 20, Memory::system), to = device.allocate(1 << 20, Memory::local);
    const CopyJob copy(device, from, to, 1 << 20);
    for (int i = 0; i < 20; ++i) device.submit(copy.job);
  }
}

TEST(Device, IsOfNoUseInAForkedChild) {
  auto device = std::make_unique<Device>(Device::open(kName));
  auto buffer = std::make_unique<Buffer>(device->allocate(4096, Memory::local));
  const Buffer to = device->allocate(4096, Memory::local);
  auto copy = std::make_unique<CopyJob>(*device, *buffer, to, 16);
  auto fence = std::make_unique<Fence>(device->submit(copy->job));
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    bool well = error_of([&] { device->submit(copy->job); }).starts_with("forked") &&
                error_of([&] { fence->wait(); }).starts_with("forked") &&
                error_of([&] { device->allocate(1, Memory::local); }).starts_with("forked");
    fence.reset(), copy.reset(), buffer.reset(), device.reset();
    _exit(well ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_NO_THROW(fence->wait());
  EXPECT_NO_THROW(device->submit(copy->job).wait());
}

}  // namespace
}  // namespace kawara
