// SPDX-License-Identifier: Apache-2.0
// The .kwr format of program.fbs: what stands before the weights, to bytes and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kawara/program.h"

namespace kawara {

struct ParsedProgram {
  ProgramContents contents;                       // but for weights and constants
  std::span<const std::byte> weights, constants;  // in the file
};

// Everything up to the first byte of weights, which starts at a multiple of 4096. Same contents, same bytes.
std::vector<std::byte> write_program_head(const ProgramContents& contents, uint64_t weights_bytes, uint64_t constants_bytes);

// Zeros between `bytes` of a section and the next multiple of 4096.
uint64_t page_gap(uint64_t bytes);

// Trusts nothing in `file`; allocates no more than its table is long. Throws invalid_program, version_mismatch. The contents
// are not checked yet: see program_check.h.
ParsedProgram parse_program(std::span<const std::byte> file);

}  // namespace kawara
