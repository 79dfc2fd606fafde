// SPDX-License-Identifier: Apache-2.0
// The .kwj format of capture.fbs: what stands before the sections, to bytes and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kawara/fault.h"
#include "kawara/fence.h"

namespace kawara {

// All of the table but the sizes of sections.
struct CaptureHead {
  std::string kawara, device, executor, computes_on;
  bool arena_was_zero = true;
  std::optional<Fault> fault;
  JobReport report;  // without fidelity
};

struct CaptureSizes {
  uint64_t program = 0;
  std::vector<uint64_t> inputs, outputs;
};

struct ParsedCapture {
  CaptureHead head;
  std::span<const std::byte> program;  // in the file
  std::vector<std::span<const std::byte>> inputs, outputs;
};

// Everything up to the first section. Same head and sizes, same bytes.
std::vector<std::byte> write_capture_head(const CaptureHead& head, const CaptureSizes& sizes);

// Trusts nothing in `file`, and hashes all of it; allocates no more than its table is long. Throws invalid_capture,
// version_mismatch. The program is not looked at.
ParsedCapture parse_capture(std::span<const std::byte> file);

}  // namespace kawara
