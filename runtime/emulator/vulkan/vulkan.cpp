// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/vulkan.h"

#include <unistd.h>

#include <mutex>

#include <fmt/format.h>

#include "emulator/vulkan/lavapipe_vectors.h"
#include "emulator/vulkan/shader_cache.h"
#include "emulator/vulkan/vulkan_executor.h"
#include "kawara/environment.h"

namespace kawara::emulator {

namespace {

// One Vulkan device serves all executors that live; the last of them closes it. A forked child has no threads of its
// parent's device, so it opens one of its own.
std::shared_ptr<vulkan::VulkanContext> shared_context() {
  static std::mutex mutex;
  static std::weak_ptr<vulkan::VulkanContext> shared;
  static pid_t process = 0;
  const std::scoped_lock lock(mutex);
  auto context = process == getpid() ? shared.lock() : nullptr;
  if (!context) {
    process = getpid();
    vulkan::place_shader_cache();
    vulkan::widen_lavapipe_vectors();
    shared = context = std::make_shared<vulkan::VulkanContext>(environment(Variable::vulkan_device));
  }
  return context;
}

}  // namespace

ExecutorFactory vulkan_executor() {
  return [](std::span<std::byte> local, std::span<std::byte> sram) -> Execute {
    auto executor = std::make_shared<vulkan::VulkanExecutor>(shared_context(), local, sram);
    return [executor](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
      return executor->run(job, begin, end, progress);
    };
  };
}

std::string vulkan_computes_on() {
  const auto context = shared_context();
  return fmt::format("{}, driver {}", context->device->name(), context->device->driver());
}

}  // namespace kawara::emulator
