// SPDX-License-Identifier: Apache-2.0
// The rules that a program keeps, whoever made it: the compiler or a file.
#pragma once

#include <cstdint>

#include "kawara/program.h"

namespace kawara {

// Throws invalid_program with the rule that is broken. The bytes of weights and constants may lie
// elsewhere; what `graph` holds is checked where it is read.
void check_program(const ProgramContents& contents, uint64_t weights_bytes, uint64_t constants_bytes);

}  // namespace kawara
