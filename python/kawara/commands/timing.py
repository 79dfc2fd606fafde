# SPDX-License-Identifier: Apache-2.0
"""kawara profile | bench: where the time goes, on the chip and on the clock."""

import json as json_module
import os
from typing import List, Optional

import typer

import kawara

from .. import _kawara, bench as bench_module, inputs, profiling
from ..errors import Error
from ..progress import Progress
from ..report import size_text
from ..terminal import JsonOption, PrecisionOption, ShapeOption, TargetOption, console, escape, parsed_shapes, print_json, print_table, require_file, require_model_for


def _model_inputs(model: str) -> list:
    return kawara.Program.load(model)._native.inputs if model.endswith(".kwr") else _kawara.inspect(model)["inputs"]


def _milliseconds(value: float) -> str:
    return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"


def profile(
    model: str = typer.Argument(..., help="An .onnx or .kwr file."),
    shape: Optional[List[str]] = ShapeOption,
    target: str = TargetOption,
    precision: str = PrecisionOption,
    trace: Optional[str] = typer.Option(None, "--trace", metavar="FILE", help="Write a Chrome trace, which Perfetto (ui.perfetto.dev) opens."),
    top: int = typer.Option(20, "--top", min=0, help="Show so many commands, the longest first; 0: all, as they start."),
    json: bool = JsonOption,
):
    """Which commands the chip's cycles go to. By the chip's cost model: node, engine, cycles, share; nothing is run."""
    require_file(model)
    require_model_for(precision, model)
    with Progress(f"compiling {os.path.basename(model)}"):
        program = kawara.Program.load(model) if model.endswith(".kwr") else kawara.compile(model, shapes=parsed_shapes(shape), target=target, precision=precision)
    result = profiling.profile(program)
    if trace:
        try:
            with open(trace, "w", encoding="utf-8") as file:
                json_module.dump(profiling.trace(result, os.path.basename(model)), file)
        except OSError as problem:
            raise Error(f"--trace {trace}: {problem.strerror}", code="io_failed") from None
    if json:
        print_json(result)
        return
    rows = sorted(result["commands"], key=lambda row: -row["cycles"])[:top] if top else sorted(result["commands"], key=lambda row: row["start"])
    print_table(["node", "operator", "command", "engine", "start", "cycles", "share", "bound by"],
                [[r["node"], r["op"], r["command"], r["engine"], f"{r['start']:,}", f"{r['cycles']:,}", f"{r['share']:.1%}", r["bound"]] for r in rows],
                right=("start", "cycles", "share"))
    left = len(result["commands"]) - len(rows)
    if left:
        console.print(f"… and {left} more: --top 0 shows all")
    cycles, clock = result["cycles"], result["clock_mhz"]
    busy = ", ".join(f"{engine} {value / cycles:.0%}" for engine, value in result["engines"].items() if value and cycles)
    console.print(f"[bold]{cycles:,} cycles[/] on {escape(result['target'])}, {cycles / clock:,.1f} µs at {clock} MHz" + (f"; busy: {busy}" if busy else ""))
    console.print(f"These are cycles of {result['source']}. Engines work side by side, so shares may add up to more than 100 %.")
    if trace:
        console.print(f"[bold]{escape(trace)}[/]: {size_text(os.path.getsize(trace))}, to open with ui.perfetto.dev or chrome://tracing")


def bench(
    model: str = typer.Argument(..., help="An .onnx or .kwr file."),
    input: Optional[List[str]] = typer.Option(None, "--input", metavar="NAME=FILE", help="As for `kawara run`."),
    shape: Optional[List[str]] = ShapeOption,
    device: str = typer.Option("auto", "--device", help="See `kawara devices`."),
    precision: str = PrecisionOption,
    runs: int = typer.Option(20, "--runs", min=1, help="How many runs are timed after the first."),
    beside: Optional[List[str]] = typer.Option(None, "--beside", metavar="ENGINE", help="Time another engine in turns: onnxruntime."),
    json: bool = JsonOption,
):
    """Time a model on this machine. Compiling, loading, the first run, then median, best and p90 of many."""
    require_file(model)
    require_model_for(precision, model)
    bench_module.check_beside(beside or [], model)
    feeds = inputs.feeds_for(model, _model_inputs(model), dict(inputs.parse_input(text) for text in input or []), parsed_shapes(shape))
    with Progress("compiling") as progress:
        rows = bench_module.measure(model, device, feeds, runs, beside or [], progress.now, precision)
    if json:
        print_json(rows)
        return
    columns = {"compile": "compile_ms", "load": "load_ms", "first run": "first_run_ms", "median": "median_ms", "best": "best_ms", "p90": "p90_ms"}
    print_table(["engine", *columns], [[r["engine"], *("" if r[key] is None else _milliseconds(r[key]) for key in columns.values())] for r in rows],
                right=tuple(columns))
    console.print(f"in ms; {runs} {'run' if runs == 1 else 'runs'} after the first" + (", in turns" if len(rows) > 1 else "") + "; inputs without a file are seeded")
    for row in rows[1:]:
        console.print(f"{escape(rows[0]['engine'])} takes {row['ratio']:.2f} times as long as {escape(row['engine'])}, median by median")
    if rows[0]["engine"].startswith("emulator"):
        console.print("The device is emulated: these times are this machine's, and say nothing about the chip's.")
