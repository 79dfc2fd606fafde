# SPDX-License-Identifier: Apache-2.0
"""kawara replay: a captured job, run again."""

import math
import os
from typing import Optional

import typer

import kawara

from ..progress import Progress
from ..terminal import JsonOption, console, escape, print_json, print_table, require_file


def replay(
    capture: str = typer.Argument(..., help="A .kwj file, of `kawara run --capture` or of a job that faulted."),
    device: Optional[str] = typer.Option(None, "--device", help="Where to run it, e.g. emulator:reference; by default as it was run."),
    json: bool = JsonOption,
):
    """Run a captured job again and compare. The exit status is 1 when it ends in another way, or farther off than the job promises."""
    require_file(capture)
    with Progress(f"running {os.path.basename(capture)}"):
        result = kawara.replay(capture, device)
    if json:
        for row in result["outputs"]:
            row["max_abs"] = row["max_abs"] if math.isfinite(row["max_abs"]) else None  # JSON has no infinity
        print_json(result)
    else:
        _print(result)
    if not result["as_promised"]:
        raise typer.Exit(1)


def _print(result: dict) -> None:
    console.print(f"ran on {escape(result['device'])}" + (f", {escape(result['computes_on'])}" if result["computes_on"] else ""))
    if result["captured_fault"] or result["fault"]:
        for title, fault in (("captured", result["captured_fault"]), ("now", result["fault"])):
            console.print(f"  {title:<8} {escape(fault or 'it ended well')}")
        console.print("[bold green]the same fault[/]" if result["equal"] else "[bold red]DIFFERENT[/]: it ended in another way")
        return
    print_table(["output", "type", "elements", "different", "max error", "max ULP", "tolerance", ""],
                [[o["name"], o["dtype"], f"{o['elements']:,}", f"{o['different']:,}", f"{o['max_abs']:.3g}", f"{o['max_ulp']:,}",
                  f"{o['tolerance']:.3g}" if o["tolerance"] else "none", "equal" if not o["different"] else "within" if o["within"] else "BEYOND"] for o in result["outputs"]],
                right=("elements", "different", "max error", "max ULP", "tolerance"))
    if result["cycles"] != result["captured_cycles"]:
        console.print(f"{result['cycles']:,} cycles, captured {result['captured_cycles']:,}: the work clock charges otherwise")
    if result["equal"]:
        console.print("[bold green]equal[/], bit for bit")
    elif result["as_promised"]:
        console.print("[bold green]as promised[/]: float sums may differ between executors, "
                      f"and errors are within {result['relative_tolerance']:.3g} of the largest magnitude, by the sums' depths and number")
    else:
        console.print("[bold red]DIFFERENT[/]: " + ("the job promises the same bits here" if result["bits_promised"] else "errors beyond what the depths of its sums explain"))
