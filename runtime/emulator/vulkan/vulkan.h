// SPDX-License-Identifier: Apache-2.0
// The executor on Vulkan compute: what runs the emulated chip by default.
#pragma once

#include <string>

#include "emulator/executor.h"

namespace kawara::emulator {

// Executors of one process share one Vulkan device, opened with the first. Opening throws device_unavailable, naming what is
// missing. The environment variable KAWARA_VULKAN_DEVICE chooses a device by a part of its name.
ExecutorFactory vulkan_executor();

// Of the device that the executors share, with its driver's version. Throws device_unavailable where there is none.
std::string vulkan_computes_on();

}  // namespace kawara::emulator
