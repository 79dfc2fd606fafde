// SPDX-License-Identifier: Apache-2.0
// What people call devices, and the node behind a name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kawara/device.h"
#include "node.h"

namespace kawara {

struct OpenedNode {
  std::string name;  // opens the same device again
  std::unique_ptr<Node> node;
};

// Throws as Device::open does.
OpenedNode open_node(std::string_view name);
std::vector<DeviceDescription> list_devices();

}  // namespace kawara
