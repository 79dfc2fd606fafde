# SPDX-License-Identifier: Apache-2.0
"""kawara compile | explain | inspect: what becomes of a model, and what a program holds."""

import os
import time
from typing import List, Optional

import typer

import kawara

from .. import _kawara
from ..dtypes import onnx_spelling
from ..progress import Progress
from ..report import size_text
from ..terminal import JsonOption, PrecisionOption, ShapeOption, TargetOption, console, dims_text, escape, parsed_shapes, print_json, print_table, require_file


def compile_model(
    model: str = typer.Argument(..., help="An .onnx file."),
    output: Optional[str] = typer.Option(None, "--output", "-o", metavar="FILE", help="The .kwr file; by default the model's name with .kwr."),
    shape: Optional[List[str]] = ShapeOption,
    target: str = TargetOption,
    precision: str = PrecisionOption,
    json: bool = JsonOption,
):
    """Compile a model to a .kwr file. A report says what became of it."""
    require_file(model)
    output = output or os.path.splitext(model)[0] + ".kwr"
    started = time.perf_counter()
    with Progress(f"compiling {os.path.basename(model)}"):
        program = kawara.compile(model, shapes=parsed_shapes(shape), target=target, precision=precision)
    seconds = time.perf_counter() - started
    program.save(output)
    if json:
        print_json({"output": output, "seconds": round(seconds, 4), "report": program.report_data()})
    else:
        console.print(f"[bold]{escape(output)}[/]: {size_text(os.path.getsize(output))}, compiled in {seconds:.2f} s for {program.target}")
        console.print(escape(program.report()))
        if precision != "f32":
            console.print(f"what {precision} costs in exactness is not measured here: `kawara compare {escape(model)} --precision {precision}` does")


def _placement(row: dict) -> str:
    if not row["supported"]:
        return "NOT SUPPORTED"
    if not row["command"]:
        return "-"  # nothing is placed while a node of the model is refused
    operands = f", {row['operands']}" if row["operands"] not in ("", "f32") else ""
    return f"{row['command']} on the {row['engine']} engine{operands}" if row["engine"] else row["command"]


def explain(model: str = typer.Argument(..., help="An .onnx file."), shape: Optional[List[str]] = ShapeOption, target: str = TargetOption,
            precision: str = PrecisionOption, json: bool = JsonOption):
    """Where each node runs, or why it can't. For every node: its command and engine, what it was fused into, or which rule it breaks."""
    require_file(model)
    with Progress(f"compiling {os.path.basename(model)}"):
        rows = _kawara.explain(model, parsed_shapes(shape), target, precision)
    if json:
        print_json(rows)
        return
    print_table(["node", "operator", "runs as", "with"],
                [[r["node"], r["op"], _placement(r), r["rule"] if not r["supported"] else (r["group"] if r["group"] != r["node"] else "")] for r in rows])
    refused = sum(not r["supported"] for r in rows)
    console.print(f"{len(rows)} nodes, " + (f"[bold red]{refused} that the chip can't run[/]" if refused else "[bold green]all on the chip[/]"))
    if refused:
        raise typer.Exit(1)


def _info_of(program: kawara.Program, path: str) -> dict:
    """What a file's program holds. Sections: bytes of each part; tables, and zeros between sections, are the rest of the file."""
    native = program._native
    return {"name": path, "target": program.target, "isa_version": native.isa_version, "format_version": native.format_version,
            "portable": native.graph_bytes > 0, "file_bytes": os.path.getsize(path),
            "sections": {"commands": native.command_bytes, "graph": native.graph_bytes, "weights": native.weight_bytes, "constants": native.constant_bytes},
            "inputs": native.inputs, "outputs": native.outputs, "metadata": program.metadata}


def _capture_info(path: str) -> dict:
    """What a .kwj file holds: its program, and what became of the job."""
    native, job = _kawara.capture_info(path)
    info = _info_of(kawara.Program(native), path)
    for absent in ("graph", "constants"):  # a capture has none: no job reads them
        del info["sections"][absent]
    return {**info, "job": job}


def inspect(model: str = typer.Argument(..., help="An .onnx, .kwr or .kwj file."), json: bool = JsonOption):
    """What a file holds. Inputs, outputs, metadata; a model's operators, a program's target and sections, what became of a captured job."""
    require_file(model)
    if model.endswith(".kwr"):
        info = _info_of(kawara.Program.load(model), model)
    elif model.endswith(".kwj"):
        info = _capture_info(model)
    else:
        info = _kawara.inspect(model)
    if json:
        print_json(info)
        return
    head = [f"compiled for {info['target']}, version {info['isa_version']} of the command set", f"format {info['format_version']}"] if "target" in info else [f"ONNX, IR {info['ir_version']}", f"by {info['producer']}" if info["producer"] else "",
            ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in info["opsets"])]
    console.print(f"[bold]{escape(os.path.basename(model))}[/]: " + escape("; ".join(h for h in head if h)) + ("" if "sections" in info else f"; {size_text(info['constant_bytes'])} of constants"))
    if job := info.get("job"):
        console.print(f"  a job that {escape(job['device'])} ran" + (f" on {escape(job['computes_on'])}" if job["computes_on"] else "") + f", captured by kawara {escape(job['kawara'])}")
        console.print("  " + (f"[bold red]it faulted[/]: {escape(job['fault'])}" if job["fault"] else f"it took {job['cycles']:,} cycles") + f"; arena before it: {job['arena']}")
    for section, size in info.get("sections", {}).items():
        console.print(f"  {section:<9} {size_text(size)}" + ("" if size or section != "graph" else ": not there, so it can't be re-lowered for another chip"))
    for title in ("inputs", "outputs"):
        for name, dtype, dims, names in info[title]:
            shown = [d if d >= 0 else (n or None) for d, n in zip(dims, names)]
            console.print(f"  {title[:-1]:<6} {escape(name)}: {onnx_spelling(dtype)} {escape(dims_text(shown))}")
    if info.get("operators"):
        console.print("  nodes  " + escape(", ".join(f"{op} {count}" for op, count in info["operators"])))
    for key, value in info["metadata"].items():
        console.print(f"  meta   {escape(key)}: {escape(value if len(value) <= 60 else value[:57].replace(chr(10), ' ') + f'… ({len(value)} characters)')}")
