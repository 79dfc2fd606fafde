# SPDX-License-Identifier: Apache-2.0
"""The tree keeps the include rule, and the check sees it broken."""

import tempfile
import unittest
from pathlib import Path

from include_rule import SOURCES, violations
from tree import ROOT, files

HEADERS = ["include/kawara/device.h", "include/kawara/errors.def", "include/kawara/file/table_reader.h", "include/kawara/hw/hw.h", "include/kawara/hw/registers.def",
           "include/kawara/hw/commands.def", "include/kawara/hw/encode.h", "include/drm/kawara_accel.h", "runtime/node.h", "runtime/emulator/chip/chip.h",
           "runtime/session/cache.h", "compiler/graph.h", "compiler/onnx/reader.h", "kernel/kawara_drv.h", "python/convert.h",
           "tests/support/golden.h"]


class IncludeRule(unittest.TestCase):
    def check(self, file, line):
        """What the rule says of a small tree with `line` in `file`."""
        with tempfile.TemporaryDirectory() as folder:
            for name in HEADERS + [file]:
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(line + "\n" if name == file else "#include <vector>\n")
            return violations(Path(folder))

    def assert_allowed(self, file, line):
        self.assertEqual(self.check(file, line), [])

    def assert_forbidden(self, file, line, target):
        found = self.check(file, line)
        self.assertEqual(len(found), 1, f"{file}: {line}: {found}")
        self.assertTrue(found[0].startswith(f"{file}:1: "), found)
        self.assertIn(target, found[0])

    def test_the_tree_keeps_it(self):
        self.assertEqual(violations(ROOT), [])

    def test_the_tree_is_really_read(self):
        names = [name for name, _ in files(ROOT) if name.endswith(SOURCES)]
        for folder in ("runtime/", "compiler/", "include/kawara/hw/"):
            self.assertTrue(any(name.startswith(folder) for name in names), folder)
        self.assertFalse(any(name.startswith(("build/", ".venv/")) for name in names))

    def test_each_folder_may_include_its_own_files_and_the_contracts(self):
        self.assert_allowed("runtime/device.cpp", '#include "node.h"')
        self.assert_allowed("runtime/emulator/chip/mmu.cpp", '#include "emulator/chip/chip.h"')
        self.assert_allowed("runtime/emulator/chip/mmu.cpp", '#include "kawara/hw/commands.def"')
        self.assert_allowed("runtime/session/session.cpp", '#include "cache.h"')
        self.assert_allowed("compiler/lower.cpp", '#include "onnx/reader.h"')
        self.assert_allowed("include/kawara/hw/encode.h", '#include "kawara/device.h"')
        self.assert_allowed("include/kawara/hw/ring.h", '#include "hw.h"')
        self.assert_allowed("python/_kawara.cpp", "#include <kawara/device.h>")
        self.assert_allowed("kernel/kawara_ring.c", '#include "kawara/hw/registers.def"')
        self.assert_allowed("kernel/kawara_ring.c", '#include "drm/kawara_accel.h"')
        self.assert_allowed("tests/compiler/graph_test.cpp", '#include "graph.h"')

    def test_headers_of_the_system_are_not_its_business(self):
        self.assert_allowed("compiler/lower.cpp", "#include <fmt/format.h>")
        self.assert_allowed("compiler/lower.cpp", '#include "program_generated.h"')

    def test_runtime_never_includes_the_compiler(self):
        self.assert_forbidden("runtime/device.cpp", '#include "graph.h"', "compiler/graph.h")
        self.assert_forbidden("runtime/device.cpp", '#include "../compiler/graph.h"', "compiler/graph.h")
        self.assert_forbidden("runtime/device.cpp", "  #  include <compiler/graph.h>", "compiler/graph.h")

    def test_runtime_never_includes_the_session(self):
        self.assert_forbidden("runtime/device.cpp", '#include "session/cache.h"', "runtime/session/cache.h")

    def test_compiler_never_includes_the_runtime(self):
        self.assert_forbidden("compiler/lower.cpp", '#include "node.h"', "runtime/node.h")
        self.assert_forbidden("compiler/onnx/reader.cpp", '#include "../../runtime/node.h"', "runtime/node.h")

    def test_session_sees_neither_side_from_within(self):
        self.assert_forbidden("runtime/session/session.cpp", '#include "../node.h"', "runtime/node.h")
        self.assert_forbidden("runtime/session/session.cpp", '#include "graph.h"', "compiler/graph.h")

    def test_python_sees_public_headers_only(self):
        for name in ("kawara/hw/hw.h", "kawara/hw/registers.def", "kawara/errors.def", "kawara/file/table_reader.h", "node.h", "graph.h"):
            self.assert_forbidden("python/_kawara.cpp", f'#include "{name}"', name)

    def test_kernel_sees_only_its_part_of_the_hardware(self):
        for name in ("kawara/hw/commands.def", "kawara/device.h", "node.h", "graph.h"):
            self.assert_forbidden("kernel/kawara_ring.c", f'#include "{name}"', name)

    def test_contracts_include_contracts_only(self):
        self.assert_forbidden("include/kawara/session.h", '#include "../../runtime/node.h"', "runtime/node.h")

    def test_what_the_kernel_shares_is_closed_in_itself(self):
        self.assert_forbidden("include/kawara/hw/ring.h", '#include "kawara/device.h"', "include/kawara/device.h")
        self.assert_forbidden("include/kawara/hw/ring.h", '#include "encode.h"', "include/kawara/hw/encode.h")

    def test_nothing_includes_tests(self):
        for folder in ("kernel", "runtime", "runtime/session", "compiler", "python", "include/kawara", "include/kawara/hw", "include/drm"):
            self.assert_forbidden(f"{folder}/extra.h", '#include "support/golden.h"', "tests/support/golden.h")

    def test_a_file_that_no_rule_covers_is_found(self):
        self.assertIn("no rule", self.check("helpers/extra.h", "")[0])

    def test_an_include_that_cannot_be_read_is_no_way_round(self):
        self.assert_forbidden("runtime/device.cpp", "#include TABLE", "computed include")


if __name__ == "__main__":
    unittest.main()
