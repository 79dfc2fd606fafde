// SPDX-License-Identifier: Apache-2.0
// Where Mesa's drivers keep the machine code of shaders between processes.
#pragma once

namespace kawara::emulator::vulkan {

// Points Mesa into the cache folder, within its bound, unless the user chose a place or there is no such folder. To be called
// before Vulkan is opened: Mesa looks once.
void place_shader_cache();

}  // namespace kawara::emulator::vulkan
