# SPDX-License-Identifier: Apache-2.0
"""Several engines with one model, in turns: each a process of its own, none waited for longer than its limits."""

import json
import os
import queue
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plain_model import write_plain

BASELINE = "onnxruntime"
RELATIVE, ABSOLUTE = 1e-3, 1e-5  # an output is right within these of ONNX Runtime's
COMPILE_SECONDS, FIRST_RUN_SECONDS, RUN_SECONDS = 120, 120, 60
TURNS_SECONDS = 5  # an engine that has run for so long keeps out of the rest


@dataclass
class Engine:
    name: str
    python: "str | Path" = sys.executable
    vulkan_device: str = ""  # a peer's
    failed: str = ""         # why it can't take part at all

    @property
    def is_peer(self) -> bool:
        return bool(self.vulkan_device)


class Contender:
    """A running contender.py."""

    def __init__(self, engine: Engine, model: Path, feeds: Path, outputs: Path):
        self.engine, self.outputs, self.runs = engine.name, outputs, []
        self.row, self._process, self._lines = {"engine": engine.name}, None, queue.SimpleQueue()
        if engine.failed:
            self.row["failed"] = engine.failed
            return
        command = [engine.python, Path(__file__).with_name("contender.py"), engine.name, model, feeds, outputs, engine.vulkan_device]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
                                         stderr=subprocess.DEVNULL if engine.is_peer else None)
        threading.Thread(target=self._read, daemon=True).start()
        self._hear(COMPILE_SECONDS, "to compile")
        if not self.failed:
            self._hear(FIRST_RUN_SECONDS, "for its first run")

    @property
    def failed(self) -> bool:
        return "failed" in self.row

    @property
    def takes_part(self) -> bool:
        return not self.failed and sum(self.runs) < TURNS_SECONDS * 1e3

    def run(self) -> None:
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it died: what it says next is nothing
        self._hear(RUN_SECONDS, "for a run")
        if not self.failed:
            self.runs.append(self.row.pop("run_ms"))

    def finish(self) -> dict:
        if self._process is None:
            return self.row
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        if not self.failed:
            self._hear(RUN_SECONDS, "to end")
        if not self.failed:
            self.row.update(run_ms=statistics.median(self.runs), run_ms_min=min(self.runs), run_ms_max=max(self.runs), runs=len(self.runs))
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:  # its answers were all there
            self._kill()
        return self.row

    def _read(self) -> None:
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _hear(self, seconds: float, what: str) -> None:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            self._kill()
            self.row["failed"] = f"took longer than {seconds} s {what}"
            return
        self.row.update(json.loads(line) if line else {"failed": f"the process ended with status {self._process.wait()}"})

    def _kill(self) -> None:
        """With the compiler that it may have started: both are of a session of their own."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def tolerance_used(outputs: Path, expected: Path) -> float:
    """The largest share of the tolerance that any element's distance takes; right up to 1."""
    with np.load(outputs) as got, np.load(expected) as want:
        if got.files != want.files or any(got[name].size != want[name].size for name in want.files):
            return float("inf")
        used = 0.0
        for name in want.files:
            right = want[name].astype(np.float64)
            distance = np.abs(got[name].reshape(right.shape) - right) / (ABSOLUTE + RELATIVE * np.abs(right))
            used = max(used, float(np.nan_to_num(distance, nan=np.inf).max(initial=0)))
        return used


def measure(title: dict, model: Path, feeds: dict, engines: "list[Engine]", rounds: int) -> "list[dict]":
    """A row per engine: one model at one set of shapes. `title` goes into each."""
    with tempfile.TemporaryDirectory() as folder:
        feeds_file, plain = Path(folder) / "feeds.npz", Path(folder) / "plain.onnx"
        np.savez(feeds_file, **feeds)
        unplain = ""
        if any(engine.is_peer for engine in engines):
            try:
                write_plain(model, {name: array.shape for name, array in feeds.items()}, plain)
            except Exception as error:  # whatever onnx throws, it is the peers' alone
                unplain = f"no opset 17 of the model: {type(error).__name__}: {error}".splitlines()[0]
        contenders = []
        for number, engine in enumerate(engines):
            if engine.is_peer and unplain:
                engine = Engine(engine.name, failed=unplain)
            contenders.append(Contender(engine, plain if engine.is_peer else model, feeds_file, Path(folder) / f"{number}.npz"))
        for _ in range(rounds):
            for contender in contenders:
                if contender.takes_part:
                    contender.run()
        rows = [contender.finish() for contender in contenders]
        baseline = next(contender for contender in contenders if contender.engine == BASELINE)
        for contender in contenders:
            row = contender.row
            row.update(title)
            if contender.failed or baseline.failed:
                continue
            row["ratio"] = statistics.median(a / b for a, b in zip(contender.runs, baseline.runs))
            if contender is not baseline:
                used = tolerance_used(contender.outputs, baseline.outputs)
                if used > 1:
                    row["failed"] = f"wrong: {used:.3g} times the tolerance beside ONNX Runtime" if np.isfinite(used) else "wrong: other shapes, or NaN"
                else:
                    row["tolerance_used"] = used
        return rows
