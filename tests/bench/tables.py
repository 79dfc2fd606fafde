# SPDX-License-Identifier: Apache-2.0
"""The figures as tables for people. A row that failed says why, in one line."""

from rich.console import Console
from rich.table import Table

FILE_COLUMNS = 180  # in a file or a pipe nothing is cut


def _show(console: Console, names: "list[str]", columns: "list[tuple]", rows: "list[tuple]") -> None:
    """rows: (cells, figures); columns: (heading, key, format), blank where a row has no such figure."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, no_wrap=True)
    for heading, *_ in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    failures, last = [], None
    for cells, row in rows:
        shown = ["" if last and cells[0] == last[0] and len(cells) > 1 else cells[0], *cells[1:]]
        last = cells
        if "failed" in row:
            failures.append(f"  {', '.join(cells)}: {row['failed']}")
            table.add_row(*shown, "failed")
        else:
            table.add_row(*shown, *(format(row[key], spec) if key in row else "" for _, key, spec in columns))
    (console if console.is_terminal else Console(width=FILE_COLUMNS, highlight=False)).print(table)
    for line in failures:
        console.print(line, markup=False)
    console.print()


def show_models(console: Console, rows: "list[dict]") -> None:
    columns = [("compile s", "compile_s", ".2f"), ("load s", "load_s", ".2f"), ("first ms", "first_run_ms", ".1f"), ("run ms", "run_ms", ".1f"),
               ("min", "run_ms_min", ".1f"), ("max", "run_ms_max", ".1f"), ("runs", "runs", "d"), ("× ORT", "ratio", ".2f"),
               ("peak MiB", "peak_mib", ".0f"), ("tolerance used", "tolerance_used", ".3f")]
    titled = [((f"{row['model']} {'' if row['shapes'] == 'inputs' else '(other shape)'}".strip(), row["engine"]), row) for row in rows]
    _show(console, ["model", "engine"], columns, titled)


def show_rates(console: Console, rows: "list[dict]", peak: dict) -> None:
    if "gflops" in peak:
        console.print(f"this processor reached {peak['gflops']:.1f} GFLOP/s ({peak['what']})")
        rows = [{**row, "share": row["gflops"] / peak["gflops"]} if "gflops" in row else row for row in rows]
    else:
        console.print(f"this processor's peak: failed: {peak['failed']}", markup=False)
    columns = [("GFLOP/s", "gflops", ".1f"), ("of the peak", "share", ".0%"), ("run ms", "run_ms", ".2f"), ("min", "run_ms_min", ".2f"),
               ("× ORT", "ratio", ".2f")]
    _show(console, ["operator", "engine"], columns, [((row["operator"], row["engine"]), row) for row in rows])


def show_cold_starts(console: Console, model: str, rows: "list[dict]") -> None:
    columns = [("total s", "total_s", ".2f"), ("import s", "import_s", ".2f"), ("compile s", "compile_s", ".2f"), ("session s", "session_s", ".2f"),
               ("first run s", "first_run_s", ".2f")]
    _show(console, [f"fresh process to first output of {model}"], columns, [((row["caches"],), row) for row in rows])


def show_replays(console: Console, rows: "list[dict]") -> None:
    columns = [("run µs", "wall_us", ".0f"), ("executor µs", "executor_us", ".0f"), ("Vulkan µs", "vulkan_us", ".0f"),
               ("beside executor µs", "beside_executor_us", ".0f"), ("beside Vulkan µs", "beside_vulkan_us", ".0f")]
    _show(console, ["repeated run"], columns, [((row["model"],), row) for row in rows])


def show_empty_jobs(console: Console, rows: "list[dict]") -> None:
    columns = [("median µs", "median_us", ".1f"), ("fastest", "min_us", ".1f"), ("99 % under", "p99_us", ".1f"), ("jobs", "jobs", "d")]
    _show(console, ["empty job"], columns, [((row["device"],), row) for row in rows])
