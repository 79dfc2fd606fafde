# SPDX-License-Identifier: Apache-2.0
"""One line on the terminal that says what is being waited for."""

import shutil
import sys
import threading
import time

from rich.console import Console

from .report import printable

_TICK = 0.1  # seconds between two looks of the line
_LATE = 0.2  # what is over before that shows nothing
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN_FRAMES = "|/-\\"


def _one_line(text: str) -> str:
    return printable(text).replace("\n", " ")


class Progress:
    """Shows `text` and the seconds since on stderr while a `with` lasts, and erases it at the end; nothing where stderr is no terminal.

        with Progress("compiling model.onnx") as progress:
            …
            progress.now("running")
    """

    def __init__(self, text: str, stream=None):
        self._text = text
        self._stream = stream if stream is not None else sys.stderr
        self._begin = time.monotonic()
        self._over = threading.Event()
        self._thread: "threading.Thread | None" = None
        self._shown = False

    def now(self, text: str) -> None:
        """What is being done from now on; its seconds count from here."""
        self._text, self._begin = text, time.monotonic()

    def __enter__(self) -> "Progress":
        # Where rich is told to colour what goes to a file, that is no terminal yet.
        if self._stream.isatty() and not Console(file=self._stream).is_dumb_terminal:
            self._thread = threading.Thread(target=self._show, name="kawara progress", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        if self._thread is None:
            return
        self._over.set()
        self._thread.join()
        if self._shown:
            self._write("\r\x1b[K")

    def _show(self) -> None:
        frames = _FRAMES if (getattr(self._stream, "encoding", "") or "").lower().startswith("utf") else _PLAIN_FRAMES
        dots = "…" if frames is _FRAMES else "..."
        count = 0
        self._over.wait(_LATE)
        while not self._over.is_set():
            line = f"{frames[count % len(frames)]} {_one_line(self._text)} {dots} {time.monotonic() - self._begin:.0f} s"
            self._write("\r\x1b[K" + line[:max(shutil.get_terminal_size().columns - 1, 1)])
            self._shown = True
            count += 1
            self._over.wait(_TICK)

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError, UnicodeError):
            self._over.set()  # the terminal is gone
