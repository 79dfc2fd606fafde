# SPDX-License-Identifier: Apache-2.0
"""`./dev bench` times every engine in turns, checks their answers, and refuses what it can't do before it starts."""

import json
import subprocess
import sys

from conftest import ROOT

BENCH = ROOT / "tests" / "bench" / "bench.py"


def bench(*arguments):
    return subprocess.run([sys.executable, BENCH, *arguments], capture_output=True, text=True)


def test_it_gives_a_row_for_each_engine_and_the_cost_of_an_empty_job(fetched, tmp_path):
    fetched("light_squeezenet")
    done = bench("--models", "light_squeezenet", "--rounds", "2", "--json", tmp_path / "figures.json")
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [row["engine"] for row in figures["models"]] == ["emulator:vulkan", "emulator:reference", "onnxruntime"]
    for row in figures["models"]:
        assert row["run_ms_min"] <= row["run_ms"] <= row["run_ms_max"] and row["compile_s"] > 0 and row["peak_mib"] > 0
        assert row.get("tolerance_used", 0) <= 1
    assert all(job["min_us"] <= job["median_us"] <= job["p99_us"] for job in figures["empty_jobs"])
    assert "light_squeezenet" in done.stdout and "…" not in done.stdout


def test_a_model_that_it_does_not_know_is_refused_with_the_names_of_those_it_does():
    done = bench("--models", "resnet")
    assert done.returncode == 2 and "no model is called resnet" in done.stderr and "light_resnet50" in done.stderr


def test_a_place_that_cannot_be_written_is_refused_before_anything_runs():
    done = bench("--json", "/nowhere/figures.json", "--models", "light_squeezenet")
    assert done.returncode == 2 and "/nowhere/figures.json" in done.stderr and not done.stdout
