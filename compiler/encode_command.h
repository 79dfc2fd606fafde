// SPDX-License-Identifier: Apache-2.0
// A command as the chip's bytes.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "command.h"

namespace kawara::compiler {

// Where a buffer lies: an operand of its first byte.
using Locate = std::function<uint64_t(uint32_t buffer)>;

std::vector<std::byte> encode(const Command& command, const Locate& locate);
// Before anything has a place: an operand's region is its index in command.buffers.
std::vector<std::byte> encode_unplaced(const Command& command);

}  // namespace kawara::compiler
