# SPDX-License-Identifier: Apache-2.0
"""The bytes of a compiled program depend on model, options and version alone, not on where and how the compiler runs."""

import os
import subprocess
import sys
import tempfile
import unittest

TOOL = sys.argv.pop(1)


def digests(*arguments, prefix=(), **environment):
    return subprocess.run([*prefix, TOOL, *arguments], capture_output=True, text=True, check=True, timeout=60,
                          env={**os.environ, **environment}).stdout


class Digests(unittest.TestCase):
    def setUp(self):
        self.expected = digests()
        self.assertGreaterEqual(len(set(self.expected.split())), 8, "a name and a hash of its own for each of the models")

    def test_do_not_depend_on_the_addresses_of_memory(self):
        for _ in range(3):
            self.assertEqual(digests(), self.expected)
        if subprocess.run(["setarch", "-R", "true"], capture_output=True, check=False).returncode == 0:
            self.assertEqual(digests(prefix=("setarch", "-R")), self.expected)

    def test_do_not_depend_on_what_memory_held_before(self):
        for value in ("1", "170", "255"):
            self.assertEqual(digests(MALLOC_PERTURB_=value), self.expected)

    def test_do_not_depend_on_the_locale(self):
        self.assertEqual(digests("--comma"), self.expected)
        for locale in ("C", "C.UTF-8", "de_DE.UTF-8"):  # one that is not installed is C
            self.assertEqual(digests(LC_ALL=locale), self.expected)

    def test_do_not_depend_on_user_and_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(digests(HOME="/nonexistent", USER="nobody", TMPDIR=folder, TZ="Asia/Tokyo"), self.expected)


if __name__ == "__main__":
    unittest.main()
