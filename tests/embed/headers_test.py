# SPDX-License-Identifier: Apache-2.0
"""Each header that is installed compiles alone as strict C++20, without a warning, with every compiler that is here."""

import concurrent.futures
import os
import shutil
import subprocess
import unittest

from place import COMPILER, ROOT

HEADERS = sorted(path.relative_to(ROOT / "include") for path in (ROOT / "include/kawara").rglob("*.h") if path.parent.name != "file")
FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]


def complaint(compiler, header):
    """What the compiler says of a file that includes the header alone, twice."""
    done = subprocess.run([compiler, *FLAGS, "-I", ROOT / "include", "-x", "c++", "-"], input=f'#include "{header}"\n#include "{header}"\n',
                          capture_output=True, text=True, check=False)
    return f"{compiler} {header}: {done.stderr[:1000]}" if done.returncode or done.stderr else ""


class Headers(unittest.TestCase):
    def test_compile_alone_without_a_warning(self):
        self.assertGreater(len(HEADERS), 30)
        compilers = [compiler for compiler in (COMPILER, "clang++-19") if shutil.which(compiler)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(complaint, *zip(*[(compiler, header) for compiler in compilers for header in HEADERS])))
        self.assertEqual([text for text in found if text], [])

    def test_the_check_sees_a_warning_and_a_missing_include(self):
        self.assertIn("absent", complaint(COMPILER, "kawara/absent.h"))


if __name__ == "__main__":
    unittest.main()
