# SPDX-License-Identifier: Apache-2.0
"""How long a model takes on this machine, on a device and beside ONNX Runtime."""

import statistics
import time
from typing import Callable, Iterable

from . import _kawara, session as sessions
from .errors import Error

BESIDE = ("onnxruntime",)


def figures(times: "list[float]") -> dict:
    """Of times in milliseconds. p90: nine runs of ten took at most as long."""
    ordered = sorted(times)
    return {"runs": len(ordered), "median_ms": statistics.median(ordered), "best_ms": ordered[0], "p90_ms": ordered[-(-9 * len(ordered) // 10) - 1]}


def _timed(call: Callable) -> tuple:
    """What the call returns, and its milliseconds."""
    begin = time.perf_counter()
    result = call()
    return result, (time.perf_counter() - begin) * 1e3


def _onnx_runtime(model: str):
    try:
        import onnxruntime
    except ImportError:
        raise Error("--beside onnxruntime needs ONNX Runtime", code="not_found", remedy="pip install onnxruntime") from None
    if model.endswith(".kwr"):
        raise Error("--beside onnxruntime needs the .onnx file: ONNX Runtime can't read a .kwr")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return lambda: onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]), f"onnxruntime {onnxruntime.__version__} (CPU)"


def check_beside(names: "Iterable[str]", model: str) -> None:
    """Before anything runs: is each there, and can it run the model's kind of file?"""
    for name in names:
        if name not in BESIDE:
            raise Error(f"--beside {name}: known is {', '.join(BESIDE)}", code="not_found", remedy="leave it out, or give one of these")
        _onnx_runtime(model)


def measure(model: str, device: str, feeds: dict, runs: int, beside: "Iterable[str]" = (), tell: Callable = lambda text: None,
            precision: str = "f32") -> "list[dict]":
    """A row for the device and one for each of `beside`. They take turns, run by run, so that a machine whose speed drifts slows all alike.

    Args:
        feeds: an array for each of the model's inputs; the model is compiled for their shapes. The cache of programs is not used.
        runs: how many, after the first.
        tell: called with what is being done.
        precision: as for `compile`.

    Returns:
        rows of engine, compile_ms (None where nothing was compiled), load_ms (opening the device and loading what was compiled, or all that
        another engine does to be ready), first_run_ms, runs, median_ms, best_ms, p90_ms; for `beside` also ratio: the device's median
        over theirs.
    """
    check_beside(beside, model)
    compiled = None
    if model.endswith(".kwr"):
        program = sessions.Program.load(model)
    else:
        tell("compiling")
        shapes = {name: array.shape for name, array in feeds.items()}
        target = _kawara.device_config(device)
        program, compiled = _timed(lambda: sessions.compile(model, shapes=shapes, target=target, precision=precision))
    tell("loading")
    session, load_ms = _timed(lambda: sessions.InferenceSession(program, device))
    tell("running for the first time")
    _, first = _timed(lambda: session.run(None, feeds))
    contenders = [({"engine": session.device, "compile_ms": compiled, "load_ms": load_ms, "first_run_ms": first}, session, [])]
    for name in beside:
        tell(f"loading {name}")
        make, engine = _onnx_runtime(model)
        other, load_ms = _timed(make)
        _, first = _timed(lambda: other.run(None, feeds))
        contenders.append(({"engine": engine, "compile_ms": None, "load_ms": load_ms, "first_run_ms": first}, other, []))
    for number in range(runs):
        tell(f"run {number + 1} of {runs}")
        for _, engine, times in contenders:
            times.append(_timed(lambda: engine.run(None, feeds))[1])
    rows = [row | figures(times) for row, _, times in contenders]
    for row in rows[1:]:
        row["ratio"] = rows[0]["median_ms"] / row["median_ms"]
    return rows
