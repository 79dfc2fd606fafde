// SPDX-License-Identifier: Apache-2.0
// Which commands wait for which. Each engine runs its commands in the order of the list; a command waits for what other
// engines must have written, or read, in the bytes it touches.
#pragma once

#include "allocate.h"
#include "command.h"

namespace kawara::compiler {

// Sets the waits of all commands. The bytes of arena and SRAM decide, not the buffers, so that reuse of memory is ordered too;
// what a switch point orders needs no wait.
void schedule(Commands& model, const Allocation& allocation);

}  // namespace kawara::compiler
