# SPDX-License-Identifier: Apache-2.0
"""kawara compare: what bf16 and f16 cost a model, beside f32."""

import math
import os
from typing import List, Optional

import typer

import kawara

from .. import inputs
from ..progress import Progress
from ..report import size_text
from ..terminal import JsonOption, ShapeOption, console, escape, parsed_shapes, print_json, print_table, require_file


def compare(
    model: str = typer.Argument(..., help="An .onnx file."),
    precision: Optional[List[str]] = typer.Option(None, "--precision", help="bf16 or f16; by default both."),
    input: Optional[List[str]] = typer.Option(None, "--input", metavar="NAME=FILE", help="A .npy or picture file; inputs without one get seeded random values."),
    shape: Optional[List[str]] = ShapeOption,
    device: str = typer.Option("auto", "--device", help="See `kawara devices`."),
    json: bool = JsonOption,
):
    """What less precision costs. Runs a model in f32 and in bf16 or f16 on the same inputs: errors, weights, the chip's cycles."""
    require_file(model)
    feeds = dict(inputs.parse_input(text) for text in input or [])
    rows = []
    for each in precision or ["bf16", "f16"]:
        with Progress(f"running {os.path.basename(model)} in f32 and {each}"):
            rows.append(kawara.precision_error(model, each, feeds=feeds, shapes=parsed_shapes(shape), device=device))
    print_json([_finite(row) for row in rows]) if json else _print(rows)


def _finite(row: dict) -> dict:
    """JSON has no infinity."""
    keys = ("max_abs", "max_share", "rms_share")
    return row | {"outputs": [o | {key: o[key] if math.isfinite(o[key]) else None for key in keys} for o in row["outputs"]]}


def _print(rows: "list[dict]") -> None:
    print_table(["precision", "output", "largest", "max error", "of largest", "RMS error", "same argmax"],
                [[row["precision"], o["name"], f"{o['magnitude']:.4g}", f"{o['max_abs']:.3g}", f"{o['max_share']:.2g}", f"{o['rms_share']:.2g}",
                  "" if o["same_argmax"] is None else f"{o['same_argmax']:.1%}"] for row in rows for o in row["outputs"]],
                right=("largest", "max error", "of largest", "RMS error", "same argmax"))
    for row in rows:
        lost = sum(o["not_finite"] for o in row["outputs"])
        if lost:
            console.print(f"[bold red]{row['precision']}: {lost:,} elements are infinite or NaN, and f32's are not[/]")
        console.print(f"{row['precision']}: weights {size_text(row['weights_in_f32_bytes'])} → {size_text(row['weights_bytes'])}, "
                      f"{row['cycles_in_f32']:,} → {row['cycles']:,} cycles by the chip's cost model")
    first = rows[0]
    inputs_text = "all inputs were given" if not first["seeded"] else f"seeded values for {', '.join(first['seeded'])}"
    console.print(f"on {escape(first['device'])}; {escape(inputs_text)}. Other inputs may cost more.")
