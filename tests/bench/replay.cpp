// SPDX-License-Identifier: Apache-2.0
// Times repeated runs of a compiled program, and how much of each the Vulkan executor takes, and of that Vulkan itself.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <exception>
#include <vector>

#include <fmt/core.h>

#include "emulator/vulkan/vulkan_executor.h"
#include "kawara/device.h"
#include "kawara/program.h"
#include "kawara/session.h"

namespace {

using Clock = std::chrono::steady_clock;
using kawara::emulator::Health;
using kawara::emulator::Job;
using kawara::emulator::Progress;
using kawara::emulator::vulkan::VulkanDevice;
using kawara::emulator::vulkan::VulkanExecutor;

// Of the run under way. Its fence orders the chip's thread, which adds, before the one that reads; a wrapped function gets
// no argument of ours, so there is no other place for it.
struct Spent {
  Clock::duration executor{}, vulkan{};
} spent;

double microseconds(Clock::duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void time_runs(const char* path, size_t runs) {
  kawara::Session session(kawara::Device::open("emulator:vulkan"), kawara::Program::load(path));
  std::vector<std::vector<std::byte>> memory;
  kawara::Bindings bindings;
  for (const kawara::TensorInfo& input : session.inputs()) bindings.inputs.push_back({input.name, memory.emplace_back(input.size_bytes)});
  for (const kawara::TensorInfo& output : session.outputs())
    bindings.outputs.push_back({output.name, memory.emplace_back(output.size_bytes)});
  session.submit(bindings).wait();  // records

  std::vector<double> wall, executor, vulkan, beside_executor, beside_vulkan;
  for (size_t i = 0; i < runs; ++i) {
    spent = {};
    const auto begin = Clock::now();
    session.submit(bindings).wait();
    wall.push_back(microseconds(Clock::now() - begin));
    if (spent.vulkan == Clock::duration{}) throw std::runtime_error("nothing of the run was timed inside the executor");
    executor.push_back(microseconds(spent.executor));
    vulkan.push_back(microseconds(spent.vulkan));
    beside_executor.push_back(wall.back() - executor.back());
    beside_vulkan.push_back(wall.back() - vulkan.back());
  }
  fmt::print(R"({{"runs": {}, "wall_us": {:.1f}, "executor_us": {:.1f}, "vulkan_us": {:.1f}, )"
             R"("beside_executor_us": {:.1f}, "beside_vulkan_us": {:.1f}}})"
             "\n",
             runs, median(wall), median(executor), median(vulkan), median(beside_executor), median(beside_vulkan));
}

}  // namespace

// The linker's names for the functions themselves and for what is called in their place. A member function's first argument
// is its object, and one that returns memory gets the place before it, as for any other function.
Health real_execute(VulkanExecutor*, const Job&, uint32_t, uint32_t,
                    const Progress&) asm("__real__ZN6kawara8emulator6vulkan14VulkanExecutor3runERKNS0_3JobEjjRKNS0_8ProgressE");
Health timed_execute(VulkanExecutor*, const Job&, uint32_t, uint32_t,
                     const Progress&) asm("__wrap__ZN6kawara8emulator6vulkan14VulkanExecutor3runERKNS0_3JobEjjRKNS0_8ProgressE");
void real_submit(VulkanDevice*, VkCommandBuffer,
                 const Progress&) asm("__real__ZN6kawara8emulator6vulkan12VulkanDevice3runEP17VkCommandBuffer_TRKNS0_8ProgressE");
void timed_submit(VulkanDevice*, VkCommandBuffer,
                  const Progress&) asm("__wrap__ZN6kawara8emulator6vulkan12VulkanDevice3runEP17VkCommandBuffer_TRKNS0_8ProgressE");

Health timed_execute(VulkanExecutor* executor, const Job& job, uint32_t first, uint32_t end, const Progress& progress) {
  const auto begin = Clock::now();
  const Health health = real_execute(executor, job, first, end, progress);
  spent.executor += Clock::now() - begin;
  return health;
}

void timed_submit(VulkanDevice* device, VkCommandBuffer commands, const Progress& progress) {
  const auto begin = Clock::now();
  real_submit(device, commands, progress);
  spent.vulkan += Clock::now() - begin;
}

int main(int argc, char** argv) {
  size_t runs = 0;
  if (argc == 3) std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), runs);
  if (runs == 0) {
    fmt::print(stderr, "replay PROGRAM.kwr RUNS\n");
    return 2;
  }
  try {
    time_runs(argv[1], runs);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", argv[1], error.what());
    return 1;
  }
  return 0;
}
