# SPDX-License-Identifier: Apache-2.0
"""A compiler's report as text."""


def size_text(size: float) -> str:
    """A number of bytes for people: 1536 is "1.5 KiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError("unreachable")


def printable(text: str) -> str:
    """The text as a terminal may have it: what a model's names could command it, or hide in it, is written out."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def _flat(value, prefix: str = ""):
    for key, entry in value.items():
        name = f"{prefix}{key}"
        if isinstance(entry, dict):
            yield from _flat(entry, name + ".")
        elif not isinstance(entry, list):
            yield name, entry


def report_text(report: dict) -> str:
    """One line a figure; names that end in _bytes are shown as sizes."""
    rows = [(name.replace("_bytes", "").replace("_", " ").replace(".", ": "), size_text(entry) if name.endswith("_bytes") else f"{entry:,}" if isinstance(entry, int) else str(entry))
            for name, entry in _flat(report)]
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{width}}  {entry}" for name, entry in rows)
