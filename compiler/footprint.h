// SPDX-License-Identifier: Apache-2.0
// What one encoded command may touch, as the chip's check counts it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kawara/hw/decode.h"
#include "strided_bytes.h"

namespace kawara::compiler {

// The bytes between the first and the last that an operand may touch, in its region.
struct Footprint {
  uint32_t region = 0;
  uint64_t begin = 0, end = 0;
  bool write = false;
  // Those of them that it touches, where that can be told; where data chooses, all that it may choose. Runs are joined.
  std::optional<StridedBytes> runs = {};
};

// Of every operand that touches anything. The command has passed kawara_check().
std::vector<Footprint> footprints(const hw::CommandView& command);

}  // namespace kawara::compiler
