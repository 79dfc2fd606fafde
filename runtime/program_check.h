// SPDX-License-Identifier: Apache-2.0
// The rules that a program keeps, whoever made it: the compiler or a file.
#pragma once

#include <cstdint>

#include "kawara/program.h"

namespace kawara {

// Throws invalid_program with the rule that is broken. weights_bytes: length of the weights, which may lie elsewhere.
void check_program(const ProgramContents& contents, uint64_t weights_bytes);

}  // namespace kawara
