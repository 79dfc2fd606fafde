// SPDX-License-Identifier: Apache-2.0
// A program taken apart, for tests that put another together.
#pragma once

#include "kawara/program.h"

namespace kawara::test {

inline ProgramContents contents_of(const Program& program) {
  const auto list = [](const auto& span) { return std::vector(span.begin(), span.end()); };
  return {.target = program.target(),
          .isa_version = program.isa_version(),
          .commands = list(program.commands()),
          .regions = list(program.regions()),
          .inputs = list(program.inputs()),
          .outputs = list(program.outputs()),
          .debug = list(program.debug()),
          .metadata = list(program.metadata()),
          .report = program.report(),
          .weights = list(program.weights()),
          .graph = list(program.graph()),
          .constants = list(program.constants())};
}

}  // namespace kawara::test
