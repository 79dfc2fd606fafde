# SPDX-License-Identifier: Apache-2.0
"""The command line: kawara run | compile | explain | inspect | profile | bench | devices | doctor | cache | help."""

import json as json_module
import os
import sys
import time
from typing import List, Optional

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape as escape_markup
from rich.table import Table

import kawara

from . import _kawara, bench as bench_module, doctor as doctor_module, inputs, profiling
from .dtypes import onnx_spelling
from .errors import Error
from .progress import Progress
from .report import printable, size_text

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
                  help="Runs ONNX models on the K1 inference chip, or on its emulator.")
console = Console(highlight=False, soft_wrap=True)
complaints = Console(stderr=True, highlight=False, soft_wrap=True)

ShapeOption = typer.Option(None, "--shape", metavar="NAME=D1,D2,…", help="Dimensions of an input that the model leaves open.")
JsonOption = typer.Option(False, "--json", help="Print JSON instead of a table.")
TargetOption = typer.Option("k1", "--target", help="Chip to compile for.")


def escape(text: str) -> str:
    """Text from a model or a path: neither the console's markup nor the terminal's commands."""
    return escape_markup(printable(text))


def show(error: Error) -> None:
    """One screen: what, where, what to do."""
    complaints.print(f"[bold red]error[/] {escape(str(error))}")


def print_json(value) -> None:
    sys.stdout.write(json_module.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_table(columns: "list[str]", rows: "list[list]", right: "tuple[str, ...]" = ()) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    console.print(table)


def dims_text(shape) -> str:
    return "[" + ", ".join("?" if d is None else str(d) for d in shape) + "]"


def require_file(path: str) -> None:
    if not os.path.exists(path):
        raise Error(f"there is no file '{path}'", code="not_found", remedy="check the spelling and the folder")


def parsed_shapes(shape: "Optional[List[str]]") -> dict:
    return dict(inputs.parse_shape(text) for text in shape or [])


@app.command()
def run(
    model: str = typer.Argument(..., help="An .onnx or .kwr file."),
    input: Optional[List[str]] = typer.Option(None, "--input", metavar="NAME=FILE", help="A .npy or picture file; inputs without one get seeded random values."),
    shape: Optional[List[str]] = ShapeOption,
    device: str = typer.Option("auto", "--device", help="See `kawara devices`."),
    check: bool = typer.Option(False, "--check", help="Compare with ONNX Runtime on the CPU; the exit status is 1 when they differ."),
    save: Optional[str] = typer.Option(None, "--save", metavar="FOLDER", help="Write each output to FOLDER as .npy."),
    repeat: int = typer.Option(1, "--repeat", min=1, help="Run so many times; the fastest is shown beside the first."),
    json: bool = JsonOption,
):
    """Run a model and show its outputs. --check compares them with ONNX Runtime's."""
    require_file(model)
    shapes = parsed_shapes(shape)
    started = time.perf_counter()
    with Progress(f"compiling {os.path.basename(model)}"):
        session = kawara.InferenceSession(model, device, shapes=shapes)
    feeds = _feeds(model, session._native.inputs, dict(inputs.parse_input(text) for text in input or []), shapes)
    ready = time.perf_counter()
    times = []
    with Progress("running for the first time") as progress:
        for number in range(repeat):
            if number:
                progress.now(f"run {number + 1} of {repeat}")
            begin = time.perf_counter()
            outputs = session.run(None, feeds)
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
        "relowered_from": report.get("relowered_from"),
        "fidelity": report.get("fidelity"),
        "load_s": round(ready - started, 4),
        "first_run_ms": round(times[0] * 1e3, 3),
        "best_run_ms": round(min(times) * 1e3, 3),
        "outputs": [_summary(name, output) for name, output in zip(names, outputs)],
    }
    if comparison is not None:
        result["check"] = comparison
    print_json(result) if json else _print_run(result)
    if comparison is not None and not all(row["equal"] for row in comparison):
        raise typer.Exit(1)


def _feeds(model: str, rows: list, given: dict, shapes: dict) -> dict:
    """The given arrays, and seeded ones for inputs without a file. rows: the inputs as _kawara has them."""
    known = {name: (dtype, dims, dimension_names) for name, dtype, dims, dimension_names in rows}
    for name in [*given, *shapes]:
        if name not in known:
            raise Error(f"the model has no input '{name}'; it has {', '.join(repr(n) for n in known)}", code="wrong_input",
                        remedy="`kawara inspect MODEL` lists the inputs")
    feeds = dict(given)
    for name, (dtype, dims, dimension_names) in known.items():
        if name in feeds:
            continue
        dims = [s if d < 0 else d for d, s in zip(dims, shapes.get(name, dims))]
        for position, d in enumerate(dims):
            if d < 0:
                raise Error(f"input '{name}': dimension {position} ({dimension_names[position] or 'unnamed'}) is open",
                            code="shape_required", remedy=f"give it with --shape {name}={','.join('N' if e < 0 else str(e) for e in dims)}, or an array with --input")
        feeds[name] = inputs.random_input(os.path.basename(model), name, dtype, dims)
    return feeds


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
    for row in result.get("check", []):
        verdict = "[bold green]equal[/]" if row["equal"] else "[bold red]DIFFERENT[/]"
        console.print(f"{verdict} to ONNX Runtime: {escape(row['name'])} differs by at most {row['max_abs_difference']:.3g} "
                      f"({row['max_share_of_tolerance']:.1%} of the tolerance 1e-3 relative + 1e-5 absolute)")


@app.command("compile")
def compile_model(
    model: str = typer.Argument(..., help="An .onnx file."),
    output: Optional[str] = typer.Option(None, "--output", "-o", metavar="FILE", help="The .kwr file; by default the model's name with .kwr."),
    shape: Optional[List[str]] = ShapeOption,
    target: str = TargetOption,
    json: bool = JsonOption,
):
    """Compile a model to a .kwr file. A report says what became of it."""
    require_file(model)
    output = output or os.path.splitext(model)[0] + ".kwr"
    started = time.perf_counter()
    with Progress(f"compiling {os.path.basename(model)}"):
        program = kawara.compile(model, shapes=parsed_shapes(shape), target=target)
    seconds = time.perf_counter() - started
    program.save(output)
    if json:
        print_json({"output": output, "seconds": round(seconds, 4), "report": program.report_data()})
    else:
        console.print(f"[bold]{escape(output)}[/]: {size_text(os.path.getsize(output))}, compiled in {seconds:.2f} s for {program.target}")
        console.print(escape(program.report()))


def _placement(row: dict) -> str:
    if not row["supported"]:
        return "NOT SUPPORTED"
    if not row["command"]:
        return "-"  # nothing is placed while a node of the model is refused
    return f"{row['command']} on the {row['engine']} engine" if row["engine"] else row["command"]


@app.command()
def explain(model: str = typer.Argument(..., help="An .onnx file."), shape: Optional[List[str]] = ShapeOption, target: str = TargetOption, json: bool = JsonOption):
    """Where each node runs, or why it can't. For every node: its command and engine, what it was fused into, or which rule it breaks."""
    require_file(model)
    with Progress(f"compiling {os.path.basename(model)}"):
        rows = _kawara.explain(model, parsed_shapes(shape), target)
    if json:
        print_json(rows)
        return
    print_table(["node", "operator", "runs as", "with"],
                [[r["node"], r["op"], _placement(r), r["rule"] if not r["supported"] else (r["group"] if r["group"] != r["node"] else "")] for r in rows])
    refused = sum(not r["supported"] for r in rows)
    console.print(f"{len(rows)} nodes, " + (f"[bold red]{refused} that the chip can't run[/]" if refused else "[bold green]all on the chip[/]"))
    if refused:
        raise typer.Exit(1)


def _program_info(path: str) -> dict:
    """What a .kwr file holds. Sections: bytes of each part; the table is the rest of the file, but for the zeros between sections."""
    program = kawara.Program.load(path)
    native = program._native
    return {"name": path, "target": program.target, "isa_version": native.isa_version, "format_version": native.format_version,
            "portable": native.graph_bytes > 0, "file_bytes": os.path.getsize(path),
            "sections": {"commands": native.command_bytes, "graph": native.graph_bytes, "weights": native.weight_bytes, "constants": native.constant_bytes},
            "inputs": native.inputs, "outputs": native.outputs, "metadata": program.metadata}


@app.command()
def inspect(model: str = typer.Argument(..., help="An .onnx or .kwr file."), json: bool = JsonOption):
    """What a file holds. Inputs, outputs, metadata; a model's operators, a program's target and sections."""
    require_file(model)
    if model.endswith(".kwr"):
        info = _program_info(model)
    else:
        info = _kawara.inspect(model)
    if json:
        print_json(info)
        return
    head = [f"compiled for {info['target']}, version {info['isa_version']} of the command set", f"format {info['format_version']}"] if "target" in info else [f"ONNX, IR {info['ir_version']}", f"by {info['producer']}" if info["producer"] else "",
            ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in info["opsets"])]
    console.print(f"[bold]{escape(os.path.basename(model))}[/]: " + escape("; ".join(h for h in head if h)) + ("" if "sections" in info else f"; {size_text(info['constant_bytes'])} of constants"))
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


def _model_inputs(model: str) -> list:
    return kawara.Program.load(model)._native.inputs if model.endswith(".kwr") else _kawara.inspect(model)["inputs"]


def _milliseconds(value: float) -> str:
    return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"


@app.command()
def profile(
    model: str = typer.Argument(..., help="An .onnx or .kwr file."),
    shape: Optional[List[str]] = ShapeOption,
    target: str = TargetOption,
    trace: Optional[str] = typer.Option(None, "--trace", metavar="FILE", help="Write a Chrome trace, which Perfetto (ui.perfetto.dev) opens."),
    top: int = typer.Option(20, "--top", min=0, help="Show so many commands, the longest first; 0: all, as they start."),
    json: bool = JsonOption,
):
    """Which commands the chip's cycles go to. By the chip's cost model: node, engine, cycles, share; nothing is run."""
    require_file(model)
    with Progress(f"compiling {os.path.basename(model)}"):
        program = kawara.Program.load(model) if model.endswith(".kwr") else kawara.compile(model, shapes=parsed_shapes(shape), target=target)
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


@app.command()
def bench(
    model: str = typer.Argument(..., help="An .onnx or .kwr file."),
    input: Optional[List[str]] = typer.Option(None, "--input", metavar="NAME=FILE", help="As for `kawara run`."),
    shape: Optional[List[str]] = ShapeOption,
    device: str = typer.Option("auto", "--device", help="See `kawara devices`."),
    runs: int = typer.Option(20, "--runs", min=1, help="How many runs are timed after the first."),
    beside: Optional[List[str]] = typer.Option(None, "--beside", metavar="ENGINE", help="Time another engine in turns: onnxruntime."),
    json: bool = JsonOption,
):
    """Time a model on this machine. Compiling, loading, the first run, then median, best and p90 of many."""
    require_file(model)
    bench_module.check_beside(beside or [], model)
    feeds = _feeds(model, _model_inputs(model), dict(inputs.parse_input(text) for text in input or []), parsed_shapes(shape))
    with Progress("compiling") as progress:
        rows = bench_module.measure(model, device, feeds, runs, beside or [], progress.now)
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


@app.command()
def devices(json: bool = JsonOption):
    """The devices of this machine."""
    rows = kawara.devices()
    if json:
        print_json(rows)
        return
    print_table(["device", "kind", "config", "local memory", "SRAM"],
                [[r["name"], r["kind"], r["config"], size_text(r["local_bytes"]), size_text(r["sram_bytes"])] for r in rows],
                right=("local memory", "SRAM"))


@app.command()
def doctor(json: bool = JsonOption):
    """What this machine has, lacks, and what to do. The exit status is 1 when the default device does not work."""
    with Progress("looking at this machine"):
        findings = doctor_module.examine()
    if json:
        print_json({"usable": doctor_module.usable(findings), "findings": doctor_module.rows(findings)})
    else:
        colours = {"ok": "green", "warning": "yellow", "problem": "bold red", "unchecked": "dim"}
        for finding in findings:
            code = f" ({finding.code})" if finding.code else ""
            console.print(f"[{colours[finding.state]}]{finding.state:<9}[/] [bold]{escape(finding.check)}[/]: {escape(finding.message)}{code}")
            if finding.remedy:
                console.print(f"          remedy: {escape(finding.remedy)}")
        console.print("[bold green]usable[/]" if doctor_module.usable(findings) else "[bold red]not usable[/]: the default device does not work")
    if not doctor_module.usable(findings):
        raise typer.Exit(1)


@app.command()
def cache(clear: bool = typer.Option(False, "--clear", help="Empty it."), json: bool = JsonOption):
    """The folder of compiled programs. Its place, and what it holds of them and of shaders."""
    folder = _kawara.cache_folder()
    use = _kawara.clear_cache() if clear else _kawara.cache_use()
    limits = dict(zip(("program_bytes_max", "shader_bytes_max"), _kawara.cache_limits()))
    if json:
        print_json({"folder": str(folder) if folder else None, "cleared": clear, **use, **limits})
    elif folder is None:
        console.print("the cache is off")
    else:
        console.print(f"[bold]{escape(str(folder))}[/]" + (": emptied, of" if clear else ""))
        print_table(["", "files", "size", "at most"], [["programs", use["programs"], size_text(use["program_bytes"]), size_text(limits["program_bytes_max"])],
                                                       ["shaders", "", size_text(use["shader_bytes"]), size_text(limits["shader_bytes_max"])]],
                    right=("files", "size", "at most"))


@app.command("help")
def help_command(context: typer.Context, topic: Optional[str] = typer.Argument(None, help="environment: the variables that Kawara reads."), json: bool = JsonOption):
    """This text. `kawara help environment`: the variables that Kawara reads."""
    if topic is None:
        console.print(context.parent.get_help(), markup=False)
        return
    if topic != "environment":
        raise Error(f"there is no help on '{topic}'; there is on 'environment'", code="not_found", remedy="`kawara help` lists the commands")
    rows = [dict(zip(("name", "value", "default", "meaning"), row)) for row in _kawara.variables()]
    if json:
        print_json(rows)
        return
    print_table(["variable", "here", "default", "meaning"], [[row["name"], row["value"], row["default"], row["meaning"]] for row in rows])


def _version(wanted: bool) -> None:
    if wanted:
        console.print(f"kawara {kawara.__version__}")
        raise typer.Exit()


@app.callback()
def _options(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version.")) -> None:
    pass


def main() -> None:
    """Entry point: shows Kawara's errors as text and ends quietly on Ctrl-C."""
    try:
        app()
    except Error as error:
        show(error)
        sys.exit(1)
    except KeyboardInterrupt:
        complaints.print("interrupted")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


if __name__ == "__main__":
    main()
