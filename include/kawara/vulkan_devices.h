// SPDX-License-Identifier: Apache-2.0
// The Vulkan devices of this machine, and what keeps the emulator from computing on them.
#pragma once

#include <string>
#include <vector>

#include "kawara/export.h"

namespace kawara {

struct VulkanDeviceDescription {
  std::string name;    // "llvmpipe (LLVM 15.0.6, 256 bits)"
  std::string driver;  // its name and version: "llvmpipe Mesa 25.0.7"
  std::string lacks;   // the first feature that the emulator needs and the device has not; empty when it will do
};

// In the order in which the emulator takes the first that will do. Loads Vulkan. Throws device_unavailable when there is no
// loader, no driver or no device.
KAWARA_API std::vector<VulkanDeviceDescription> vulkan_devices();

}  // namespace kawara
