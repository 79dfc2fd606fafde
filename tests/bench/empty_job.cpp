// SPDX-License-Identifier: Apache-2.0
// Times a job that does nothing, from Device::submit to the return of Fence::wait: what each job costs beside its work.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <vector>

#include <fmt/core.h>

#include "kawara/device.h"
#include "kawara/hw/encode.h"

namespace {

constexpr size_t kJobs = 5000, kWarmUp = 500;

double microseconds(std::chrono::steady_clock::duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }

kawara::Buffer nop(const kawara::Device& device) {
  kawara_nop command{};
  command.header.flags = KAWARA_HEADER_LIMIT_NONE;
  command.header.limit = KAWARA_OPERAND_ABSENT;
  const auto bytes = kawara::hw::encode(command);
  kawara::Buffer buffer = device.allocate(bytes.size(), kawara::Memory::system);
  std::ranges::copy(bytes, buffer.bytes().begin());
  return buffer;
}

void time_jobs(const char* name) {
  const kawara::Device device = kawara::Device::open(name);
  const kawara::Buffer commands = nop(device);
  const kawara::DeviceJob job{.commands = &commands, .command_bytes = sizeof(kawara_nop)};
  std::vector<double> times;
  for (size_t i = 0; i < kWarmUp + kJobs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    device.submit(job).wait();
    if (i >= kWarmUp) times.push_back(microseconds(std::chrono::steady_clock::now() - begin));
  }
  std::ranges::sort(times);
  fmt::print(R"({{"device": "{}", "jobs": {}, "min_us": {:.2f}, "median_us": {:.2f}, "p99_us": {:.2f}}})"
             "\n",
             name, times.size(), times.front(), times[times.size() / 2], times[times.size() * 99 / 100]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "empty_job DEVICE\n");
    return 2;
  }
  try {
    time_jobs(argv[1]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", argv[1], error.what());
    return 1;
  }
  return 0;
}
