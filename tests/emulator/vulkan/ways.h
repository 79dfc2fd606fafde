// SPDX-License-Identifier: Apache-2.0
// Both ways to compute on a software device: shaders for its lanes, where they suit, and those for any device.
#pragma once

#include "emulator/vulkan/vulkan.h"
#include "emulator/vulkan/vulkan_executor.h"

namespace kawara::test {

inline const emulator::ExecutorFactory kWays[] = {
    emulator::vulkan_executor(), [](std::span<std::byte> local, std::span<std::byte> sram) {
      static const auto context = std::make_shared<emulator::vulkan::VulkanContext>("", false);
      auto executor = std::make_shared<emulator::vulkan::VulkanExecutor>(context, local, sram);
      return emulator::Execute([executor](const auto&... job) { return executor->run(job...); });
    }};

}  // namespace kawara::test
