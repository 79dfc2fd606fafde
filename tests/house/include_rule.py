# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: the folders meet in include/ and nowhere else."""

import posixpath
import re
from pathlib import Path

from tree import files

# The part of the hardware's description that the kernel builds with; plain C, closed in itself and the tables.
SHARED_WITH_THE_KERNEL = r"include/kawara/hw/(hw|ring|page_table|recovery)\.h"
TABLES = r"include/kawara/hw/[^/]+\.def"
KERNEL_MAY = rf"kernel/.*|include/drm/.*|{SHARED_WITH_THE_KERNEL}|include/kawara/hw/(registers|faults)\.def"

# Files, what they may include of the tree. The first row that matches a file holds.
RULES = [
    (r"kernel/.*", KERNEL_MAY),
    (r"runtime/session/.*", r"include/.*|runtime/session/.*"),
    (r"runtime/.*", r"include/.*|runtime/(?!session/).*"),
    (r"compiler/.*", r"include/.*|compiler/.*"),
    (r"python/.*", r"include/kawara/[^/]+\.h|python/.*"),
    (r"include/drm/.*", r"include/drm/.*"),
    (rf"{SHARED_WITH_THE_KERNEL}|{TABLES}", rf"{SHARED_WITH_THE_KERNEL}|{TABLES}"),
    (r"include/.*", r"include/.*"),
    (r"tests/.*", r".*"),
]

# Where an include is looked for, after the folder of the file that has it.
SEARCHED = ["include", "runtime", "runtime/session", "compiler", "kernel", "python", "tests", ""]

SOURCES = (".h", ".hpp", ".c", ".cc", ".cpp", ".def", ".inc", ".comp", ".glsl", ".in")
INCLUDE = re.compile(r"^\s*#\s*include\b\s*(.*)")
NAMED = re.compile(r'"([^"]+)"|<([^>]+)>')


def meaning(name: str, includer: str, tree: set[str]) -> str | None:
    """The file of the tree that `name` stands for in `includer`; None for a system's or a generated header."""
    for folder in [posixpath.dirname(includer), includer.split("/")[0], *SEARCHED]:
        path = posixpath.normpath(posixpath.join(folder, name))
        if path in tree:
            return path
    return None


def violations(root: Path) -> list[str]:
    """Each forbidden include below `root`: where it is, what it includes."""
    sources = {name: path for name, path in files(root) if name.endswith(SOURCES)}
    found = []
    for name, path in sources.items():
        may = next((may for matches, may in RULES if re.fullmatch(matches, name)), None)
        if may is None:
            found.append(f"{name}: no rule says what a file here may include")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            include = INCLUDE.match(line)
            if not include:
                continue
            named = NAMED.match(include[1])
            target = named and meaning(named[1] or named[2], name, set(sources))
            if not named and may != ".*":
                found.append(f"{name}:{number}: #include {include[1]}: a computed include cannot be checked; name the file")
            elif target and not re.fullmatch(may, target):
                found.append(f"{name}:{number}: may not include {target}, only {may}")
    return found
