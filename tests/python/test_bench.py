# SPDX-License-Identifier: Apache-2.0
"""`./dev bench` times every engine in turns, checks their answers, and refuses what it can't do before it starts."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from conftest import ROOT

BENCH = ROOT / "tests" / "bench" / "bench.py"
sys.path.insert(0, str(BENCH.parent))
import contest  # noqa: E402
from cold_start import cold_starts  # noqa: E402
from plain_model import write_plain  # noqa: E402


def bench(*arguments):
    return subprocess.run([sys.executable, BENCH, *arguments], capture_output=True, text=True)


def test_it_gives_a_row_for_each_engine_rates_replays_and_the_cost_of_an_empty_job(fetched, tmp_path):
    fetched("light_squeezenet")
    done = bench("--models", "light_squeezenet", "--rounds", "1", "--parts", "models", "rates", "replays", "jobs", "--json", tmp_path / "figures.json")
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [row["engine"] for row in figures["models"]] == ["emulator:vulkan", "emulator:reference", "onnxruntime"]
    for row in figures["models"]:
        assert row["run_ms_min"] <= row["run_ms"] <= row["run_ms_max"] and row["compile_s"] > 0 and row["peak_mib"] > 0
        assert row.get("tolerance_used", 0) <= 1
    assert {row["engine"] for row in figures["rates"]} == {"emulator:vulkan", "onnxruntime"} and figures["peak"]["gflops"] > 0
    assert all(row["gflops"] > 0 for row in figures["rates"])
    [replay] = figures["replays"]
    assert replay["wall_us"] >= replay["executor_us"] >= replay["vulkan_us"] > 0
    assert all(job["min_us"] <= job["median_us"] <= job["p99_us"] for job in figures["empty_jobs"])
    for text in ("light_squeezenet", "GEMM 1024³", "beside executor", "empty job"):
        assert text in done.stdout
    assert "…" not in done.stdout


def test_a_cold_start_is_the_sum_of_its_parts_in_every_state_of_the_caches(relu_model):
    rows = cold_starts(Path(relu_model), {"x": np.ones((2, 4), np.float32)}, 1)
    assert [row["caches"] for row in rows][::6] == ["no cache", "both caches full"]
    for row in rows:
        assert "failed" not in row, row
        parts = [row[part] for part in ("import_s", "compile_s", "session_s", "first_run_s") if part in row]
        assert abs(sum(parts) - row["total_s"]) < 1e-6 and min(parts) > 0


def test_an_engine_that_cannot_take_part_or_is_late_is_shown_failing_and_the_others_go_on(tmp_path, model_file, monkeypatch):
    model = model_file([helper.make_node("Relu", ["x"], ["y"])], [("x", TensorProto.FLOAT, [2, 4])], [("y", TensorProto.FLOAT, [2, 4])])
    late = tmp_path / "late"
    late.write_text("#!/bin/sh\nexec sleep 60\n")
    late.chmod(0o755)
    absent = contest.Engine("absent", failed="can't be installed")
    monkeypatch.setattr(contest.Contender, "_hear", hurried(contest.Contender._hear, "late"))
    rows = contest.measure({}, Path(model), {"x": np.ones((2, 4), np.float32)},
                           [absent, contest.Engine("late", python=late, vulkan_device="any"), contest.Engine(contest.BASELINE)], 1)
    assert [row.get("failed") for row in rows] == ["can't be installed", "took longer than 0.2 s to compile", None]


def hurried(hear, engine):
    """The same, but for one engine that gets a fifth of a second."""
    return lambda self, seconds, what: hear(self, 0.2 if self.engine == engine else seconds, what)


def test_the_peak_of_an_engine_is_its_own_whatever_the_bench_holds(model_file):
    model = model_file([helper.make_node("Relu", ["x"], ["y"])], [("x", TensorProto.FLOAT, [2, 4])], [("y", TensorProto.FLOAT, [2, 4])])
    held = np.ones(1 << 27)  # 1 GiB
    [row] = contest.measure({}, Path(model), {"x": np.ones((2, 4), np.float32)}, [contest.Engine(contest.BASELINE)], 1)
    assert held.nbytes >> 20 == 1024 and row["peak_mib"] < 512


def test_outputs_that_are_not_numbers_or_have_another_size_are_wrong(tmp_path):
    expected, nan, short = (tmp_path / name for name in ("expected.npz", "nan.npz", "short.npz"))
    np.savez(expected, np.ones(3))
    np.savez(nan, np.array([1, np.nan, 1]))
    np.savez(short, np.ones(2))
    assert contest.tolerance_used(expected, expected) == 0
    assert contest.tolerance_used(nan, expected) == contest.tolerance_used(short, expected) == float("inf")


def test_a_model_for_peers_states_its_shapes_and_has_no_weights_among_its_inputs(tmp_path):
    weights = onnx.numpy_helper.from_array(np.ones((4, 2), np.float32), "w")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Softmax", ["p"], ["y"], axis=0)], "old",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4]), helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 2])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])], [weights])
    old, plain = tmp_path / "old.onnx", tmp_path / "plain.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=3), old)
    write_plain(old, {"x": (3, 4)}, plain)
    [x] = onnx.load(plain).graph.input
    assert x.name == "x" and [size.dim_value for size in x.type.tensor_type.shape.dim] == [3, 4]
    feeds = {"x": np.arange(12, dtype=np.float32).reshape(3, 4)}
    before, after = (onnxruntime.InferenceSession(path).run(None, feeds)[0] for path in (old, plain))
    np.testing.assert_allclose(after, before, rtol=1e-6)


def test_a_model_that_it_does_not_know_is_refused_with_the_names_of_those_it_does():
    done = bench("--models", "resnet")
    assert done.returncode == 2 and "no model is called resnet" in done.stderr and "light_resnet50" in done.stderr


def test_a_place_that_cannot_be_written_is_refused_before_anything_runs():
    done = bench("--json", "/nowhere/figures.json", "--models", "light_squeezenet")
    assert done.returncode == 2 and "/nowhere/figures.json" in done.stderr and not done.stdout
