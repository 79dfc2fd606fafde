// SPDX-License-Identifier: Apache-2.0
#include "conformance/subject.h"

#include "emulator/emulator_node.h"

namespace kawara::conformance {

std::vector<Subject> subjects() {
  return {{
      .name = "emulator",
      .open = [] { return emulator::open_emulator({.config = "k1-mini", .executor = "reference"}); },
      .inject_hang = [](Node& node, QueueId queue, uint32_t command) { emulator::inject_hang(node, queue, command); },
  }};
}

}  // namespace kawara::conformance
