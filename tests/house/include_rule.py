# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: the folders meet in include/ and nowhere else."""

import posixpath
import re
from pathlib import Path

from tree import files

KERNEL_MAY = r"kernel/.*|include/drm/.*|include/kawara/hw/(hw\.h|ring\.h|page_table\.h|recovery\.h|registers\.def|faults\.def)"

# Folder, what its files may include of the tree. The first row that a file lies in holds.
RULES = [
    ("kernel/", KERNEL_MAY),
    ("runtime/session/", r"include/.*|runtime/session/.*"),
    ("runtime/", r"include/.*|runtime/(?!session/).*"),
    ("compiler/", r"include/.*|compiler/.*"),
    ("python/", r"include/kawara/[^/]+\.h|python/.*"),
    ("include/drm/", r"include/drm/.*"),
    ("include/kawara/hw/", r"include/kawara/hw/.*"),
    ("include/", r"include/.*"),
    ("tests/", r".*"),
]

# Where an include is looked for, after the folder of the file that has it.
SEARCHED = ["include", "runtime", "runtime/session", "compiler", "kernel", "python", "tests", ""]

SOURCES = (".h", ".hpp", ".c", ".cc", ".cpp", ".def", ".inc", ".comp", ".glsl", ".in")
INCLUDE = re.compile(r"^\s*#\s*include\b\s*(.*)")
NAMED = re.compile(r'"([^"]+)"|<([^>]+)>')


def meaning(name: str, includer: str, tree: set[str]) -> str | None:
    """The file of the tree that `name` stands for in `includer`; None for a system's or a generated header."""
    own = next((folder for folder, _ in RULES if includer.startswith(folder)), "").rstrip("/")
    for folder in [posixpath.dirname(includer), own, *SEARCHED]:
        path = posixpath.normpath(posixpath.join(folder, name))
        if path in tree:
            return path
    return None


def violations(root: Path) -> list[str]:
    """Each forbidden include below `root`: where it is, what it includes, the rule."""
    sources = {name: path for name, path in files(root) if name.endswith(SOURCES)}
    found = []
    for name, path in sources.items():
        rule = next(((folder, may) for folder, may in RULES if name.startswith(folder)), None)
        if rule is None:
            continue
        folder, may = rule
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            include = INCLUDE.match(line)
            if not include:
                continue
            where = f"{name}:{number}"
            named = NAMED.match(include[1])
            if not named:
                if folder != "tests/":
                    found.append(f"{where}: #include {include[1]}: a computed include cannot be checked; name the file")
                continue
            target = meaning(named[1] or named[2], name, set(sources))
            if target and not re.fullmatch(may, target):
                found.append(f"{where}: {folder} may not include {target}")
    return found
