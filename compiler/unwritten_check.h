// SPDX-License-Identifier: Apache-2.0
// Does a job read what nothing has written? Memory of the chip that the job does not fill first holds what others left there.
// Decided from its bytes alone, as the race check is, beside which it stands: that says that what was written before was written first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "byte_set.h"
#include "kawara/hw/hw.h"

namespace kawara::compiler {

// Bytes of the region that a command reads, and that none before it has written. command: its byte offset in the command buffer.
struct UnwrittenRead {
  uint32_t command = 0;
  uint32_t region = 0;
  ByteRange bytes;
};

// The first one of a job that kawara_check() accepted and in which find_race() finds nothing, or nullopt. filled: per region, whether
// it holds something when the job starts. SRAM holds nothing behind a switch point. What a limit leaves out counts as written, what data
// chooses as read and as written wherever it may lie. Takes time in proportion to n log n for n operands and the runs of bytes that they
// fall into; where those come to more than a bound, operands count as whole, which finds less, and never too much.
std::optional<UnwrittenRead> find_unwritten_read(std::span<const std::byte> commands, std::span<const kawara_region> regions,
                                                 std::span<const bool> filled);

}  // namespace kawara::compiler
