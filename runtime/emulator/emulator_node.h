// SPDX-License-Identifier: Apache-2.0
// The in-process node: a client of the driver of an emulated chip, as an open file is one of the kernel's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "emulator/reference/reference.h"
#include "node.h"

namespace kawara::emulator {

struct EmulatorOptions {
  std::string config = "k1";        // a name of configs.def
  std::string executor = "vulkan";  // or "reference"
  uint32_t index = 0;               // which chip: those of one configuration and executor are apart by this alone
  ReferenceOptions reference = {};  // of the executor "reference"; chips that differ in them are others
};

// Nodes of the same options share a chip within the process; other processes have their own.
// Throws not_found for an unknown configuration or executor.
std::unique_ptr<Node> open_emulator(const EmulatorOptions& options);

// For tests: the next job of the queue, of a node that open_emulator gave, hangs at its command `command`.
void inject_hang(Node& node, QueueId queue, uint32_t command);

}  // namespace kawara::emulator
