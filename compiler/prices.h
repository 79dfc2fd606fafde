// SPDX-License-Identifier: Apache-2.0
// What each command costs by the chip's work clock, and how many bytes it moves to and from each of its buffers: known before
// anything has a place.
#pragma once

#include <cstdint>
#include <vector>

#include "command.h"

namespace kawara::compiler {

struct Price {
  uint64_t cycles = 0;          // alone on the chip, its buffers in local memory
  uint64_t most = 0;            // what the chip's check counts for it in its segment: in the slowest memory that it may use
  std::vector<uint64_t> bytes;  // per entry of the command's buffers
};

// Of every command, in their order.
std::vector<Price> prices(const Commands& model, const kawara_config& target);

}  // namespace kawara::compiler
