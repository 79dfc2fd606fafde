# SPDX-License-Identifier: Apache-2.0
"""What the command line shows, and the options that its commands share."""

import json as json_module
import os
import sys
from typing import List, Optional

import typer
from rich.console import Console
from rich.markup import escape as escape_markup
from rich.table import Table

from . import inputs
from .errors import Error
from .report import printable

console = Console(highlight=False, soft_wrap=True)
complaints = Console(stderr=True, highlight=False, soft_wrap=True)

ShapeOption = typer.Option(None, "--shape", metavar="NAME=D1,D2,…", help="Dimensions of an input that the model leaves open.")
JsonOption = typer.Option(False, "--json", help="Print JSON instead of a table.")
PrecisionOption = typer.Option("f32", "--precision", help="Of the operands of matrix products: f32, bf16 or f16. `kawara compare` says what it costs.")
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


def require_model_for(precision: str, path: str) -> None:
    if precision != "f32" and path.endswith(".kwr"):
        raise Error(f"--precision {precision}: '{path}' has the precision that it was compiled with", remedy="give the .onnx file")


def parsed_shapes(shape: "Optional[List[str]]") -> dict:
    return dict(inputs.parse_shape(text) for text in shape or [])
