# SPDX-License-Identifier: Apache-2.0
"""`kawara bench`: what its figures mean, in turns with ONNX Runtime, and what it refuses before anything runs."""

import json
import sys

import numpy as np
import pytest
from test_cli import kawara as command_line
from test_cli import refused

import kawara
from kawara import bench

DEVICE = "emulator:reference"


def test_figures_are_the_median_the_best_and_the_ninth_of_ten():
    assert bench.figures([5.0, 1, 2, 3, 4, 10, 9, 8, 7, 6]) == {"runs": 10, "median_ms": 5.5, "best_ms": 1, "p90_ms": 9}
    assert bench.figures([3.0]) == {"runs": 1, "median_ms": 3, "best_ms": 3, "p90_ms": 3}
    assert bench.figures([float(i) for i in range(20)])["p90_ms"] == 17  # 18 of 20 took at most as long


def test_engines_take_turns_run_by_run(relu_model, monkeypatch):
    order = []
    for kind, module in (("kawara", kawara.InferenceSession), ("onnxruntime", pytest.importorskip("onnxruntime").InferenceSession)):
        run = module.run

        def noted(self, *arguments, _run=run, _kind=kind, **named):
            order.append(_kind)
            return _run(self, *arguments, **named)

        monkeypatch.setattr(module, "run", noted)
    rows = bench.measure(relu_model, DEVICE, {"x": np.ones((2, 4), np.float32)}, 3, ["onnxruntime"])
    assert order == ["kawara", "onnxruntime"] * 4  # the first run of each, then three rounds
    assert [row["runs"] for row in rows] == [3, 3] and rows[1]["ratio"] == rows[0]["median_ms"] / rows[1]["median_ms"]


def test_json_has_a_row_for_the_device_and_one_beside_it(relu_model):
    status, out, err = command_line("bench", relu_model, "--shape", "x=2,4", "--device", DEVICE, "--runs", "5", "--beside", "onnxruntime", "--json")
    assert status == 0, err
    device, beside = json.loads(out)
    assert device["engine"].startswith("emulator:reference") and beside["engine"].startswith("onnxruntime")
    for row in (device, beside):
        assert 0 < row["best_ms"] <= row["median_ms"] <= row["p90_ms"] and row["first_run_ms"] > 0 and row["load_ms"] > 0
    assert device["compile_ms"] > 0 and beside["compile_ms"] is None


def test_a_program_is_timed_without_a_compilation(relu_model, tmp_path):
    kawara.compile(relu_model, shapes={"x": (1, 4)}).save(tmp_path / "relu.kwr")
    status, out, err = command_line("bench", tmp_path / "relu.kwr", "--device", DEVICE, "--runs", "2")
    assert status == 0, err
    assert "median" in out and "p90" in out and "2 runs after the first" in out and "nothing about the chip" in out
    assert "can't read a .kwr" in refused("bench", tmp_path / "relu.kwr", "--beside", "onnxruntime")


def test_what_it_can_not_do_is_refused_before_anything_runs(relu_model, monkeypatch):
    assert "shape_required" in refused("bench", relu_model)
    assert "onnxruntime" in refused("bench", relu_model, "--shape", "x=1,4", "--beside", "abacus")
    assert "--runs" in refused("bench", relu_model, "--shape", "x=1,4", "--runs", "0")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(kawara.Error, match="needs ONNX Runtime") as caught:
        bench.measure(relu_model, DEVICE, {"x": np.ones((1, 4), np.float32)}, 1, ["onnxruntime"])
    assert caught.value.remedy == "pip install onnxruntime"
