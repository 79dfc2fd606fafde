// SPDX-License-Identifier: Apache-2.0
// What a Program is made of.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "kawara/program.h"
#include "mapped_file.h"

namespace kawara {

// Weights and constants lie in `contents` when the compiler made the program, in `file` when it was loaded.
struct Program::State {
  ProgramContents contents;
  std::shared_ptr<const MappedFile> file;
  std::span<const std::byte> weights, constants;
};

}  // namespace kawara
