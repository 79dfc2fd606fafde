// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/vulkan.h"

#include <cstdlib>

#include "emulator/vulkan/vulkan_executor.h"

namespace kawara::emulator {

namespace {

// One Vulkan device serves all executors that live; the last of them closes it.
std::shared_ptr<vulkan::VulkanContext> shared_context() {
  static std::mutex mutex;
  static std::weak_ptr<vulkan::VulkanContext> shared;
  const std::scoped_lock lock(mutex);
  auto context = shared.lock();
  if (!context) {
    const char* wanted = std::getenv("KAWARA_VULKAN_DEVICE");
    shared = context = std::make_shared<vulkan::VulkanContext>(wanted ? wanted : "");
  }
  return context;
}

}  // namespace

ExecutorFactory vulkan_executor() {
  return [](std::span<std::byte> local, std::span<std::byte> sram) -> Execute {
    auto executor = std::make_shared<vulkan::VulkanExecutor>(shared_context(), local, sram);
    return [executor](const Job& job, uint32_t end, const Progress& progress) { return executor->run(job, end, progress); };
  };
}

}  // namespace kawara::emulator
