# SPDX-License-Identifier: Apache-2.0
"""How long a fresh process takes to a model's first output, by what the caches of programs and shaders hold already."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SECONDS_MAX = 180
# What decides where shaders are kept: none of it comes from whoever runs this.
PLACES = ("KAWARA_CACHE", "KAWARA_CACHE_BYTES", "XDG_CACHE_HOME", "MESA_SHADER_CACHE_DIR", "MESA_SHADER_CACHE_DISABLE", "MESA_SHADER_CACHE_MAX_SIZE")


def _environments(folder: Path) -> "list[tuple]":
    """(title, environment, whether the session takes programs from the cache too), in the order that fills the caches."""
    clean = {name: value for name, value in os.environ.items() if name not in PLACES}
    # Mesa puts its own there too where nothing else is said
    own = {**clean, "XDG_CACHE_HOME": str(folder / "own")}
    mesa = {**clean, "XDG_CACHE_HOME": str(folder / "mesa"), "KAWARA_CACHE": "off"}
    return [("no cache", {**mesa, "MESA_SHADER_CACHE_DISABLE": "true"}, False),
            ("Kawara's shader cache, empty", own, False), ("Kawara's shader cache, full", own, False),
            ("Mesa's own place, empty", mesa, False), ("Mesa's own place, full", mesa, False),
            ("programs' cache empty, shaders' full", own, True), ("both caches full", own, True)]


def _start(model: Path, feeds: Path, environment: dict, recall: bool) -> dict:
    command = [sys.executable, Path(__file__).with_name("cold_process.py"), repr(time.monotonic()), model, feeds, *(["recall"] if recall else [])]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return {"failed": f"took longer than {SECONDS_MAX} s"}
    if done.returncode != 0:
        return {"failed": (done.stderr.strip() or f"ended with status {done.returncode}").splitlines()[-1]}
    return json.loads(done.stdout)


def cold_starts(model: Path, feeds: dict, repeats: int) -> "list[dict]":
    """A row per state of the caches, medians of `repeats` processes; each repeat begins with new, empty folders."""
    heard = {}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            feeds_file = Path(folder) / "feeds.npz"
            np.savez(feeds_file, **feeds)
            for title, environment, recall in _environments(Path(folder)):
                heard.setdefault(title, []).append(_start(model, feeds_file, environment, recall))
    rows = []
    for title, samples in heard.items():
        failed = next((sample for sample in samples if "failed" in sample), None)
        rows.append({"caches": title, "repeats": repeats,
                     **(failed or {name: statistics.median(sample[name] for sample in samples) for name in samples[0]})})
    return rows
