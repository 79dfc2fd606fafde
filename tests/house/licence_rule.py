# SPDX-License-Identifier: Apache-2.0
"""Which licence each folder's files carry."""

import re
from pathlib import Path

from tree import files

# Folder -> licence; the first row that a file lies in holds.
LICENCES = [
    ("kernel/", "GPL-2.0-only"),
    ("include/kawara/hw/", "GPL-2.0 OR MIT"),
    ("include/drm/", "(GPL-2.0 WITH Linux-syscall-note) OR MIT"),
    ("", "Apache-2.0"),
]

# What a person writes as source; data (JSON, models, pictures, golden text) and prose have no place for the line.
SUFFIXES = (".h", ".hpp", ".c", ".cc", ".cpp", ".def", ".inc", ".comp", ".glsl", ".fbs", ".py", ".pyi", ".sh", ".cmake", ".toml",
            ".graph", ".yml", ".yaml", ".clang-format")
NAMES = {"CMakeLists.txt", "dev", ".ci/run", "Kbuild", "Kconfig", "Makefile", "dkms.conf"}

SPDX = re.compile(r"SPDX-License-Identifier: (.*?)\s*(?:\*/|-->)?$", re.MULTILINE)


def is_source(name: str) -> bool:
    return name.endswith(SUFFIXES) or name in NAMES or name.rsplit("/", 1)[-1] in NAMES


def carried(path: Path) -> str | None:
    """The licence named in the first three lines: a #! line or a DOCTYPE may stand before it."""
    with open(path, encoding="utf-8") as file:
        head = "".join(next(file, "") for _ in range(3))
    spdx = SPDX.search(head)
    return spdx[1] if spdx else None


def violations(root: Path) -> list[str]:
    """Each source file below `root` without its folder's licence, and each licence whose text is not in LICENSES/."""
    found = []
    texts = set()
    for name, path in files(root):
        if not is_source(name):
            continue
        licence = next(licence for folder, licence in LICENCES if name.startswith(folder))
        texts.update(re.findall(r"[\w.-]+", re.sub(r"\b(OR|WITH|AND)\b", " ", licence.replace("-only", ""))))
        if carried(path) != licence:
            found.append(f"{name}: its first lines must say 'SPDX-License-Identifier: {licence}', got {carried(path)}")
    return found + [f"LICENSES/{text}.txt is missing" for text in sorted(texts) if not (root / f"LICENSES/{text}.txt").is_file()]
