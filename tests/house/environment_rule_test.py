# SPDX-License-Identifier: Apache-2.0
"""The environment is read in one place, and the README lists what is read there."""

import re
import unittest

from tree import ROOT, files

READS = re.compile(r"\b(getenv|secure_getenv|setenv|putenv|unsetenv|environ)\b")
PLACE = "runtime/environment.cpp"
ROW = re.compile(r'^VARIABLE_ROW\(\w+, "(\w+)", "(.*?)", "(.*)"\)$', re.MULTILINE)


def code(text: str) -> str:
    return re.sub(r"//.*|#.*", "", text)


class EnvironmentRule(unittest.TestCase):
    def test_one_file_reads_it(self):
        sources = [(name, path) for name, path in files(ROOT) if name.startswith(("include/", "runtime/", "compiler/", "python/")) and
                   name.endswith((".h", ".cpp", ".c", ".def", ".py"))]
        self.assertGreater(len(sources), 100)
        self.assertEqual([name for name, path in sources if READS.search(code(path.read_text()))], [PLACE])

    def test_every_row_is_in_the_readme(self):
        readme = (ROOT / "README.md").read_text()
        rows = ROW.findall((ROOT / "include/kawara/environment.def").read_text())
        self.assertGreater(len(rows), 5)
        for name, standard, meaning in rows:
            standard, meaning = (text.replace('\\"', '"') for text in (standard, meaning))
            self.assertIn(f"| `{name}` | {standard} | {meaning} |", readme)
        listed = re.findall(r"^\| `([A-Z_]+)` \|", readme, re.MULTILINE)
        self.assertEqual(listed, [name for name, _, _ in rows])


if __name__ == "__main__":
    unittest.main()
