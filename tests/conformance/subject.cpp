// SPDX-License-Identifier: Apache-2.0
#include "conformance/subject.h"

#include "emulator/emulator_node.h"
#include "kawara/error.h"

namespace kawara::conformance {
namespace {

Subject emulator(std::string executor, std::optional<uint64_t> order = {}) {
  const emulator::EmulatorOptions options{.config = "k1-mini", .executor = executor, .reference = {.order = order}};
  return {
      .name = "emulator_" + executor + (order ? "_seeded" : ""),
      .open = [options] { return emulator::open_emulator(options); },
      .missing = [] { return std::string(); },
      .inject_hang = [](Node& node, QueueId queue, uint32_t command) { emulator::inject_hang(node, queue, command); },
  };
}

// What opening says when there is no such device; "" when it works.
std::string reason_against(const std::function<std::unique_ptr<Node>()>& open) {
  try {
    open();
  } catch (const Error& error) {
    if (error.code() != Code::device_unavailable) throw;
    return error.what();
  }
  return "";
}

}  // namespace

std::vector<Subject> subjects() {
  Subject vulkan = emulator("vulkan");
  vulkan.missing = [open = vulkan.open] {
    static const std::string missing = reason_against(open);  // opening takes long enough to ask only once
    return missing;
  };
  return {emulator("reference"), emulator("reference", 1), vulkan};
}

}  // namespace kawara::conformance
