# SPDX-License-Identifier: Apache-2.0
"""The project's files, as the rules look at them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

BUILT = {"build", ".venv", ".git", ".cache", "__pycache__"}


def files(root: Path):
    """Every file below `root` that is not built, as (path relative to root, path), in one order on every machine."""
    for path in sorted(root.iterdir()):
        if path.name in BUILT:
            continue
        if path.is_dir():
            for inner, place in files(path):
                yield f"{path.name}/{inner}", place
        elif path.is_file():
            yield path.name, path
