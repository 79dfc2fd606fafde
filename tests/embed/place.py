# SPDX-License-Identifier: Apache-2.0
"""Where the build under test lies, and how commands are run on it."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["KAWARA_BUILD"])
COMPILER = os.environ["KAWARA_CXX"]
VERSION = os.environ["KAWARA_VERSION_WANTED"]


def output_of(*command, **environment) -> str:
    """stdout of a command that must succeed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout
