// SPDX-License-Identifier: Apache-2.0
// A command before it has addresses: its struct, its section, and the buffers that its operands name by index.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "section.h"

namespace kawara::compiler {

struct Command {
  std::variant<kawara_vector, kawara_gemm, kawara_conv, kawara_copy> body;
  std::optional<hw::Section> section;
  kawara_engine engine = KAWARA_ENGINE_VE;
  std::vector<uint32_t> buffers;        // an operand's region is an index into these
  std::vector<Access> accesses;         // what it may touch
  std::vector<kawara_type_wait> waits;  // set by schedule()
  bool switch_point = false;            // ends a segment; set by set_switch_points()
  uint32_t debug_id = 0;                // of the node that leads the group
  std::vector<uint32_t> members;        // of all nodes that it runs
  std::vector<uint32_t> absorbed;       // of nodes whose work passes gave to those
  std::string node, operators;          // for the debug table and messages
  uint64_t macs = 0;                    // multiply-accumulate steps of a matrix command
};

// What a value or constant lies in. Sizes in bytes.
struct Buffer {
  enum class Role : uint8_t { arena, weights, input, output };
  Role role = Role::arena;
  uint32_t index = 0;  // which input or output of the graph
  uint64_t size_bytes = 0;
  Tensor constant;  // of weights
};

// A whole model as commands, in the order in which each engine runs its own.
struct Commands {
  std::vector<Command> commands;
  std::vector<Buffer> buffers;
};

}  // namespace kawara::compiler
