# SPDX-License-Identifier: Apache-2.0
"""The one exception that Kawara raises."""


class Error(Exception):
    """What went wrong, and what to do.

    Attributes:
        message: the thing and the rule it broke.
        code: name of the row in the error catalogue, such as ``"unsupported"`` or ``"wrong_input"``.
        node: the model's node that is to blame, or ``""``.
        cause: what such errors mean.
        remedy: what to do about them.
    """

    def __init__(self, message: str, code: str = "invalid_argument", node: str = "", cause: str = "", remedy: str = ""):
        super().__init__(message)
        self.message = message
        self.code = code
        self.node = node
        self.cause = cause
        self.remedy = remedy

    def __reduce__(self):
        return Error, (self.message, self.code, self.node, self.cause, self.remedy)
