// SPDX-License-Identifier: Apache-2.0
// What is wrong with a program, found from its commands and regions alone: nothing that made it is asked.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "kawara/hw/hw.h"
#include "kawara/program.h"

namespace kawara::compiler {

struct Mistake {
  std::string message;
  std::string node;  // of the command that is to blame; "" without one
};

// A rule of the chip that a command breaks; two commands that meet in memory without an order; bytes that a command reads and none
// before it has written. debug: names the nodes.
std::optional<Mistake> find_mistake(std::span<const std::byte> commands, std::span<const ProgramRegion> regions,
                                    std::span<const DebugEntry> debug, const kawara_config& target);

}  // namespace kawara::compiler
