// SPDX-License-Identifier: Apache-2.0
// The chip's manual: what the tables of include/kawara/hw say, as a text to read.
#pragma once

#include <string>

#include "page.h"

namespace kawara::manual {

// The whole of include/kawara/hw/manual.md.
std::string text();

// Its chapters. Whatever a row or a header's comment says is taken from there.
void add_registers(Page& page);
void add_memory(Page& page);
void add_commands(Page& page);
void add_microcode(Page& page);
void add_sequences(Page& page);
void add_fidelity(Page& page);
void add_faults(Page& page);
void add_chips(Page& page);
void add_work_clock(Page& page);

}  // namespace kawara::manual
