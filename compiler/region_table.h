// SPDX-License-Identifier: Apache-2.0
// A region table as a session might write it, for the checks that need addresses before there are any.
#pragma once

#include <span>
#include <vector>

#include "kawara/hw/hw.h"
#include "kawara/program.h"

namespace kawara::compiler {

// Memory regions one behind the other, apart from each other; SRAM starts at the scratchpad's first byte.
std::vector<kawara_region> region_table(std::span<const ProgramRegion> regions);

}  // namespace kawara::compiler
