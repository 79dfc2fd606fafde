// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/shader_cache.h"

#include <algorithm>

#include <fmt/format.h>

#include "environment.h"
#include "kawara/cache.h"
#include "kawara/environment.h"
#include "kawara/log.h"

namespace kawara::emulator::vulkan {

// Mesa takes the place from the environment alone: Vulkan has no call for it, and lavapipe stores no machine code in a
// VkPipelineCache. Writing the environment while another thread reads it is a race, so it is written once, before the first
// Vulkan device, and only where the variable is unset: a program that minds sets MESA_SHADER_CACHE_DIR or KAWARA_CACHE=off
// before it starts threads, and then nothing is written.
void place_shader_cache() {
  const auto folder = cache_folder();
  if (!folder || !environment(Variable::mesa_shader_cache).empty()) return;
  const std::string place = (*folder / "shaders").string();
  set_where_unset("MESA_SHADER_CACHE_MAX_SIZE", fmt::format("{}K", std::max<uint64_t>(cache_limits().shader_bytes >> 10, 1)));
  set_where_unset("MESA_SHADER_CACHE_DIR", place);
  log(LogLevel::debug, "cache: Mesa keeps shaders in '{}'", place);
}

}  // namespace kawara::emulator::vulkan
