// SPDX-License-Identifier: Apache-2.0
#include "manual.h"

namespace kawara::manual {

namespace {

constexpr std::string_view kOpening =
    "<!-- SPDX-License-Identifier: GPL-2.0 OR MIT -->\n"
    "<!-- Printed from the tables beside it; `cmake --build build/release --target manual` prints it anew. -->\n"
    "# K1\n"
    "\n"
    "K1 is an inference chip on PCIe. This is what it promises to software: registers, packets, commands, their checks, their numbers\n"
    "and their time. Each table here is printed from the rows that the emulated chip, the compiler and the drivers are compiled from.\n"
    "\n"
    "```text\n"
    "host ── PCIe ──┬─ BAR0: registers, a page for each queue\n"
    "               ├─ BAR2: a window onto local memory\n"
    "               └─ BAR4: interrupts (MSI-X)\n"
    "queues ── packets ──> command processor ── snapshot, check ──> matrix engine, vector engine, DMA in, DMA out\n"
    "memories: host (DMA alone reaches it), local, SRAM scratchpad\n"
    "```\n"
    "\n"
    "A driver sets up a context (a page table) and a queue (a ring in host memory), writes packets into the ring and moves the\n"
    "queue's TAIL. A RUN packet names a job: a command buffer and a region table in the context's memory. The chip takes a snapshot of\n"
    "both, checks it, and runs only the snapshot; if the check fails, nothing of the job runs and the fault names the command and the\n"
    "field. Operands name a region and an offset in it, never an address. When the job retires, the chip writes its record; a SIGNAL\n"
    "packet behind it writes a value and interrupts.\n"
    "\n"
    "All is little endian. Numbers in tables are decimal unless they begin with 0x; bits are named high..low.\n"
    "\n";

}  // namespace

std::string text() {
  Page page;
  add_registers(page);
  add_memory(page);
  add_commands(page);
  add_microcode(page);
  add_sequences(page);
  add_fidelity(page);
  add_faults(page);
  add_chips(page);
  add_work_clock(page);
  std::string text = std::string(kOpening) + page.contents() + page.body();
  text.pop_back();  // one newline ends it
  return text;
}

}  // namespace kawara::manual
