// SPDX-License-Identifier: Apache-2.0
// A copy that touches host memory: shaders do not see that, so the host carries it out between submissions.
#pragma once

#include "emulator/executor.h"

namespace kawara::emulator::vulkan {

// Returns false if progress said to stop. Adds to `dropped` what it did not store, where the command asks for health.
bool host_copy(const Job& job, const kawara_copy& copy, const Progress& progress, uint64_t& dropped);

}  // namespace kawara::emulator::vulkan
