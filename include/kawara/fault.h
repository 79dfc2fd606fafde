// SPDX-License-Identifier: Apache-2.0
// Why the chip stopped a job, as it reports it, and the same in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "kawara/export.h"

namespace kawara {

struct Fault {
  uint32_t code = 0;      // kawara_fault_code of hw.h
  uint32_t engine = 0;    // kawara_engine of hw.h
  uint32_t command = 0;   // byte offset in the command buffer
  uint32_t debug_id = 0;  // of that command
  uint32_t field = 0;     // byte offset in that command
  bool write = false;     // the access that failed was a write
  uint64_t address = 0;   // that failed, or 0
  uint64_t tag = 0;       // the job's
};

// Whether two jobs of the same commands met the same: all but address and tag, which no two runs share.
constexpr bool same_fault(const Fault& a, const Fault& b) {
  return a.code == b.code && a.engine == b.engine && a.command == b.command && a.debug_id == b.debug_id && a.field == b.field &&
         a.write == b.write;
}

// "bad_command: a command's field holds ...; command 3 (copy) at byte 0x120, field copy.dtype at byte 168, debug_id 7. ..."
// commands: the job's command buffer; when it is empty or does not reach to the command, the text names offsets alone.
KAWARA_API std::string describe(const Fault& fault, std::span<const std::byte> commands);

}  // namespace kawara
