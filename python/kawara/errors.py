# SPDX-License-Identifier: Apache-2.0
"""The one exception that Kawara raises."""

from . import _kawara

_CATALOGUE = _kawara.errors()
_LINES = 20  # so that str() and what a shell adds fit a screen


class Error(Exception):
    """What went wrong, and what to do. str() is all of it, within a screen.

    Attributes:
        message: the thing and the rule it broke, whole.
        code: name of the row in the error catalogue, such as ``"unsupported"`` or ``"wrong_input"``.
        node: the model's node that is to blame, or ``""``.
        cause: what such errors mean; by default the catalogue's.
        remedy: what to do about them; by default the catalogue's.
    """

    def __init__(self, message: str, code: str = "invalid_argument", node: str = "", cause: str = "", remedy: str = ""):
        super().__init__(message)
        usual_cause, usual_remedy = _CATALOGUE.get(code, ("", ""))
        self.message = message
        self.code = code
        self.node = node
        self.cause = cause or usual_cause
        self.remedy = remedy or usual_remedy

    def __str__(self) -> str:
        lines = f"{self.code}: {self.message}".splitlines()
        if len(lines) > _LINES:
            lines[_LINES:] = [f"  … and {len(lines) - _LINES} lines more: they are in .message"]
        if self.node and self.node not in self.message:
            lines.append(f"  where: node '{self.node}'")
        if self.remedy:
            lines.append(f"  remedy: {self.remedy}")
        return "\n".join(lines)

    def __reduce__(self):
        return type(self), (self.message, self.code, self.node, self.cause, self.remedy)
