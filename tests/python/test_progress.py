# SPDX-License-Identifier: Apache-2.0
"""Progress on long work: one line on a terminal, erased at the end, and nothing anywhere else."""

import io
import os
import pty
import subprocess
import sys
import time

import pytest
from onnx import TensorProto, helper

from kawara.progress import Progress


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def screen(text):
    """The line that a terminal shows after all of the text, and the longest that it has shown."""
    longest = line = ""
    for part in text.replace("\x1b[K", "\0").split("\r"):
        line = (line if not part.startswith("\0") else "")
        part = part.lstrip("\0")
        line = part + line[len(part):]
        longest = max(longest, line, key=len)
    return line, longest


def test_it_says_what_is_being_done_and_leaves_nothing_behind():
    terminal = Terminal()
    with Progress("compiling m.onnx", terminal) as progress:
        time.sleep(0.5)
        progress.now("running")
        time.sleep(0.3)
    shown = terminal.getvalue()
    assert "compiling m.onnx … 0 s" in shown and "running … 0 s" in shown and "\n" not in shown
    assert screen(shown)[0] == ""


def test_what_is_soon_over_shows_nothing():
    terminal = Terminal()
    with Progress("a moment", terminal):
        pass
    assert terminal.getvalue() == ""


def test_no_terminal_no_line(monkeypatch):
    stream = io.StringIO()
    with Progress("compiling", stream):
        time.sleep(0.4)
    assert stream.getvalue() == ""
    monkeypatch.setenv("TERM", "dumb")
    terminal = Terminal()
    with Progress("compiling", terminal):
        time.sleep(0.4)
    assert terminal.getvalue() == ""


def test_the_line_fits_the_terminal_and_a_models_name_can_not_command_it(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    terminal = Terminal()
    with Progress("compiling \x1b[31m" + "n" * 100, terminal):
        time.sleep(0.4)
    assert 20 < len(screen(terminal.getvalue())[1]) < 30
    assert "\x1b[31m" not in terminal.getvalue()


def test_it_is_erased_when_the_work_fails():
    terminal = Terminal()
    with pytest.raises(ZeroDivisionError):
        with Progress("dividing", terminal):
            time.sleep(0.4)
            1 / 0
    assert "dividing" in terminal.getvalue() and screen(terminal.getvalue())[0] == ""


# The command line with a line that shows at once: no model stays slow for as long as this test has to stay right.
AT_ONCE = "from kawara import cli, progress; progress._LATE = 0; cli.main()"


def test_the_command_line_shows_it_on_stderr_if_that_is_a_terminal(model_file, tmp_path):
    model = model_file([helper.make_node("Softmax", [f"t{i}"], [f"t{i + 1}"]) for i in range(6000)],
                       [("t0", TensorProto.FLOAT, [2, 8])], [("t6000", TensorProto.FLOAT, [2, 8])], name="chain.onnx")
    command = [sys.executable, "-c", AT_ONCE, "compile", model, "-o", tmp_path / "chain.kwr", "--json"]
    parent, child = pty.openpty()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=child, text=True, env={**os.environ, "TERM": "xterm", "COLUMNS": "80"})
    os.close(child)
    shown = b""
    try:
        while data := os.read(parent, 4096):
            shown += data
    except OSError:
        pass  # the other end is closed
    os.close(parent)
    out = process.communicate(timeout=60)[0]
    assert process.returncode == 0 and out.startswith("{")
    assert "compiling chain.onnx" in shown.decode() and screen(shown.decode())[0] == ""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
