// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace kawara::emulator::vulkan {

// Lets lavapipe compile for the processor's widest vectors, unless the user chose a width: by itself it takes 256 bits at most.
// To be called before Vulkan is opened: Mesa looks once.
void widen_lavapipe_vectors();

}  // namespace kawara::emulator::vulkan
