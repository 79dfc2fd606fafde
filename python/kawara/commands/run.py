# SPDX-License-Identifier: Apache-2.0
"""kawara run: a model on seeded or given inputs, beside ONNX Runtime if asked."""

import os
import time
from typing import List, Optional

import numpy as np
import typer

import kawara

from .. import inputs
from ..errors import Error
from ..progress import Progress
from ..report import size_text
from ..terminal import JsonOption, PrecisionOption, ShapeOption, console, dims_text, escape, parsed_shapes, print_json, print_table, require_file, show


def run(
    model: str = typer.Argument(..., help="An .onnx or .kwr file."),
    input: Optional[List[str]] = typer.Option(None, "--input", metavar="NAME=FILE", help="A .npy or picture file; inputs without one get seeded random values."),
    shape: Optional[List[str]] = ShapeOption,
    device: str = typer.Option("auto", "--device", help="See `kawara devices`."),
    precision: str = PrecisionOption,
    check: bool = typer.Option(False, "--check", help="Compare with ONNX Runtime on the CPU; the exit status is 1 when they differ."),
    save: Optional[str] = typer.Option(None, "--save", metavar="FOLDER", help="Write each output to FOLDER as .npy."),
    repeat: int = typer.Option(1, "--repeat", min=1, help="Run so many times; the fastest is shown beside the first."),
    capture: Optional[str] = typer.Option(None, "--capture", metavar="FILE", help="Keep the first run whole, with what became of it, for `kawara replay`: .kwj by custom."),
    json: bool = JsonOption,
):
    """Run a model and show its outputs. --check compares them with ONNX Runtime's, --capture keeps the job in a file."""
    require_file(model)
    if check and precision != "f32":
        raise Error(f"--check expects what f32 gives, and --precision {precision} gives less", remedy=f"`kawara compare {model} --precision {precision}` measures what it costs")
    shapes = parsed_shapes(shape)
    started = time.perf_counter()
    with Progress(f"compiling {os.path.basename(model)}"):
        session = kawara.InferenceSession(model, device, shapes=shapes, precision=precision)
    feeds = inputs.feeds_for(model, session._native.inputs, dict(inputs.parse_input(text) for text in input or []), shapes)
    ready = time.perf_counter()
    times = []
    with Progress("running for the first time") as progress:
        for number in range(repeat):
            if number:
                progress.now(f"run {number + 1} of {repeat}")
            begin = time.perf_counter()
            outputs = session.run(None, feeds, capture=None if number else capture)
            times.append(time.perf_counter() - begin)
    names = [arg.name for arg in session.get_outputs()]
    comparison = _compare(model, feeds, names, outputs) if check else None
    if save:
        os.makedirs(save, exist_ok=True)
        for name, output in zip(names, outputs):
            np.save(os.path.join(save, "".join(c if c.isalnum() or c in "._-" else "_" for c in name) + ".npy"), output)
    report = session.program.report_data()
    result = {
        "device": session.device,
        "precision": report.get("precision"),
        "relowered_from": report.get("relowered_from"),
        "fidelity": report.get("fidelity"),
        "load_s": round(ready - started, 4),
        "first_run_ms": round(times[0] * 1e3, 3),
        "best_run_ms": round(min(times) * 1e3, 3),
        "outputs": [_summary(name, output) for name, output in zip(names, outputs)],
    }
    if capture:
        result["capture"] = {"file": capture, "bytes": os.path.getsize(capture)}
    if comparison is not None:
        result["check"] = comparison
    print_json(result) if json else _print_run(result)
    if comparison is not None and not all(row["equal"] for row in comparison):
        raise typer.Exit(1)


def _summary(name: str, output: np.ndarray) -> dict:
    values = np.asarray(output, np.float64)
    summary = {"name": name, "dtype": str(output.dtype), "shape": list(output.shape)}
    if values.size:
        summary |= {"min": float(values.min()), "max": float(values.max()), "mean": float(values.mean())}
    return summary


def _compare(model: str, feeds: dict, names: "list[str]", outputs: "list[np.ndarray]") -> "list[dict]":
    """Largest differences from ONNX Runtime on the CPU."""
    try:
        import onnxruntime
    except ImportError:
        raise Error("--check needs ONNX Runtime: pip install onnxruntime", code="not_found") from None
    if model.endswith(".kwr"):
        raise Error("--check needs the .onnx file: ONNX Runtime can't read a .kwr")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    wanted = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]).run(names, feeds)
    rows = []
    for name, output, expected in zip(names, outputs, wanted):
        got, want = np.asarray(output, np.float64), np.asarray(expected, np.float64)
        difference = np.abs(got - want)
        bound = 1e-3 * np.abs(want) + 1e-5
        same = got.shape == want.shape and bool(np.all((difference <= bound) | (np.isnan(got) & np.isnan(want)) | (got == want)))
        rows.append({"name": name, "max_abs_difference": float(np.nanmax(difference, initial=0)),
                     "max_share_of_tolerance": float(np.nanmax(difference / bound, initial=0)), "equal": same})
    return rows


def _fidelity_text(fidelity: dict) -> str:
    """fidelity: 38 commands exact, 2 by sequences within 2.425 ULP, 41 device-dependent in sums of up to 1152 products"""
    parts = [f"{fidelity['exact']} {'command' if fidelity['exact'] == 1 else 'commands'} exact"]
    if fidelity["bounded"]:
        parts.append(f"{fidelity['bounded']} by sequences within {fidelity['bound_ulp']:g} ULP")
    if fidelity["device_dependent"]:
        parts.append(f"{fidelity['device_dependent']} device-dependent in sums of up to {fidelity['depth_max']} products")
    return "fidelity: " + ", ".join(parts)


def _print_run(result: dict) -> None:
    console.print(f"[bold]{escape(result['device'])}[/]: loaded in {result['load_s']:.2f} s, first run {result['first_run_ms']:.1f} ms, best {result['best_run_ms']:.1f} ms")
    if origin := result["relowered_from"]:
        console.print(f"  re-lowered for this device from a program for {escape(origin['target'])}, version {origin['isa_version']} of the command set")
    if result["fidelity"]:  # a program of an older Kawara doesn't say
        console.print("  " + _fidelity_text(result["fidelity"]))
    print_table(["output", "type", "shape", "min", "max", "mean"],
                [[o["name"], o["dtype"], dims_text(o["shape"]), *(f"{o[k]:.6g}" if k in o else "" for k in ("min", "max", "mean"))] for o in result["outputs"]],
                right=("min", "max", "mean"))
    if kept := result.get("capture"):
        console.print(f"the job is kept, weights and inputs and all: {escape(kept['file'])}, {size_text(kept['bytes'])}; the first run's time has its writing in it")
    for row in result.get("check", []):
        verdict = "[bold green]equal[/]" if row["equal"] else "[bold red]DIFFERENT[/]"
        console.print(f"{verdict} to ONNX Runtime: {escape(row['name'])} differs by at most {row['max_abs_difference']:.3g} "
                      f"({row['max_share_of_tolerance']:.1%} of the tolerance 1e-3 relative + 1e-5 absolute)")
