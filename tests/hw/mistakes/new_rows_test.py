# SPDX-License-Identifier: Apache-2.0
"""A new row is all that a register, a command or a fault needs to be known. Called with a C++ compiler."""

import subprocess
import sys
import unittest

from seeded import ROOT, compile_with, seeded

CXX = sys.argv[1] if len(sys.argv) > 1 else "c++"

ROWS = [
    ("registers.def", "\nBLOCK(CONTEXT,",
     "REGISTER(GLOBAL, SERIAL, 0x7f0, RW, 0x12, \"\")\n"
     "FIELD(GLOBAL, SERIAL, NUMBER, 7, 0, \"\")\n\nBLOCK(CONTEXT,"),
    ("commands.def", "\nCOMMAND(0x01, nop,",
     "STRUCT(pause, 48, \"\")\nMEMBER(pause, 0, header, header, 0, 0, \"\")\nMEMBER(pause, 32, u32, cycles, 1, 5, \"\")\n"
     "RESERVED(pause, 36, u32, reserved0, 3)\nEND_STRUCT(pause)\n\nCOMMAND(0x31, pause, 1 << 0, 0, \"\")\nCOMMAND(0x01, nop,"),
    ("faults.def", "\n#undef FAULT_ROW", "FAULT_ROW(77, late, \"too late\", \"Be earlier\")\n#undef FAULT_ROW"),
]

PROGRAM = """
#include <cstdio>
#include "emulator/chip/register_file.h"
#include "kawara/hw/layout.h"
#include "kawara/hw/rows.h"
#include "kawara/hw/tables_are_sound.h"

int main() {
  kawara::emulator::RegisterFile registers;
  const auto reset = registers.read(KAWARA_REGISTER(GLOBAL, 0, SERIAL));
  registers.write(KAWARA_REGISTER(GLOBAL, 0, SERIAL), 0xffff);
  std::printf("%s %u %u\\n", kawara::emulator::RegisterFile::at(0x7f0).row->name, reset, registers.read(0x7f0));
  std::printf("%s %u %s\\n", kawara::hw::find_command(0x31)->name.data(), kawara_body_bytes(KAWARA_COMMAND_pause),
              kawara::hw::find_struct("pause")->fields[1].name.data());
  std::printf("%d\\n", KAWARA_FAULT_late);
}
"""


class NewRows(unittest.TestCase):
    def test_are_known_without_another_place(self):
        with seeded(*ROWS) as folder:
            (folder / "program.cpp").write_text(PROGRAM)
            arguments = ["-std=c++20", "-I", ROOT / "runtime", "-I", ROOT / "include", folder / "program.cpp",
                         ROOT / "runtime/emulator/chip/register_file.cpp", "-o", folder / "program"]
            self.assertEqual(compile_with(CXX, arguments, folder), [])
            said = subprocess.run([folder / "program"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(said.split("\n"), ["SERIAL 18 255", "pause 48 cycles", "77", ""])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
