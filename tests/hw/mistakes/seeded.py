# SPDX-License-Identifier: Apache-2.0
"""A copy of the tables with something changed, and the compilers that look at it."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WARNINGS = ["-Wall", "-Wextra", "-Werror"]


@contextlib.contextmanager
def seeded(*changes):
    """A folder whose kawara/hw is the tree's, but for the changes: (file, what stands there once, what is put there)."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "kawara/hw")
        shutil.copytree(ROOT / "include/kawara/hw", copy)
        for name, old, new in changes:
            text = (copy / name).read_text(encoding="utf-8")
            if text.count(old) != 1 or old == new:
                raise ValueError(f"{name} has {text.count(old)} times, not once: {old}")
            (copy / name).write_text(text.replace(old, new), encoding="utf-8")
        yield Path(folder)


def compile_with(compiler, arguments, folder):
    """The errors that `compiler` finds, a line each and in English."""
    command = [compiler, *WARNINGS, "-I", folder, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if (done.returncode == 0) == bool(done.stderr):
        raise RuntimeError(f"{compiler} ended with {done.returncode} and said: {done.stderr}")
    return [line for line in done.stderr.splitlines() if "error:" in line]
