# SPDX-License-Identifier: Apache-2.0
"""Every source file carries its folder's licence, and the check sees one that does not."""

import tempfile
import unittest
from pathlib import Path

from licence_rule import violations
from tree import ROOT

LINE = "SPDX-License-Identifier: "


class LicenceRule(unittest.TestCase):
    def check(self, **written):
        """What the rule says of a tree with these files; __ in a name is a slash."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("Apache-2.0", "GPL-2.0", "MIT", "Linux-syscall-note"):
                written[f"LICENSES/{name}.txt"] = "the text"
            for name, text in written.items():
                path = Path(folder, name.replace("__", "/"))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return violations(Path(folder))

    def test_the_tree_keeps_it(self):
        self.assertEqual(violations(ROOT), [])

    def test_each_folder_has_its_licence(self):
        self.assertEqual(self.check(**{
            "runtime__a.cpp": f"// {LINE}Apache-2.0\n",
            "dev": f"#!/usr/bin/env bash\n# {LINE}Apache-2.0\n",
            "kernel__a.c": f"// {LINE}GPL-2.0-only\n",
            "include__kawara__hw__a.h": f"/* {LINE}GPL-2.0 OR MIT */\n",
            "include__drm__a.h": f"/* {LINE}(GPL-2.0 WITH Linux-syscall-note) OR MIT */\n",
        }), [])

    def test_a_file_without_the_line_is_found(self):
        for name in ("runtime__a.cpp", "python__kawara__cli.py", "CMakeLists.txt", "compiler__CMakeLists.txt", "dev", "kernel__Kbuild"):
            found = self.check(**{name: "no licence\n"})
            self.assertEqual(len(found), 1, found)
            self.assertTrue(found[0].startswith(name.replace("__", "/")), found)

    def test_another_folders_licence_is_found(self):
        self.assertEqual(len(self.check(**{"kernel__a.c": f"// {LINE}Apache-2.0\n"})), 1)
        self.assertEqual(len(self.check(**{"include__kawara__hw__a.h": f"// {LINE}Apache-2.0\n"})), 1)
        self.assertEqual(len(self.check(**{"runtime__a.cpp": f"// {LINE}Apache-2.0 OR MIT\n"})), 1)

    def test_the_line_stands_at_the_top(self):
        self.assertEqual(len(self.check(**{"runtime__a.cpp": f"//\n//\n//\n// {LINE}Apache-2.0\n"})), 1)

    def test_a_licence_whose_text_is_missing_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "a.cpp").write_text(f"// {LINE}Apache-2.0\n")
            self.assertEqual(violations(Path(folder)), ["LICENSES/Apache-2.0.txt is missing"])


if __name__ == "__main__":
    unittest.main()
