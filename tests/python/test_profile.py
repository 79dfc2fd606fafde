# SPDX-License-Identifier: Apache-2.0
"""Where a program's cycles go: rows held to what the chip counts, and a trace that viewers open."""

import json

import numpy as np
import pytest
from onnx import TensorProto, helper
from test_cli import kawara as command_line
from test_cli import refused

import kawara


@pytest.fixture
def model(model_file):
    return model_file([helper.make_node("MatMul", ["x", "w"], ["p"], name="product"), helper.make_node("Softmax", ["p"], ["y"], name="chances")],
                      [("x", TensorProto.FLOAT, ["batch", 64])], [("y", TensorProto.FLOAT, ["batch", 48])],
                      [("w", np.ones((64, 48), np.float32))])


SHAPES = {"x": (32, 64)}


@pytest.mark.parametrize("target", ["k1", "k1-mini"])
def test_the_cycles_are_those_that_the_chip_counts(model, target):
    program = kawara.compile(model, shapes=SHAPES, target=target)
    binding = kawara.InferenceSession(program, f"emulator:reference,config={target}").bind()
    binding.run()
    profile = kawara.profile(program)
    assert profile["cycles"] == binding.cycles > 0
    assert profile["target"] == target and "not a measurement" in profile["source"]


def test_each_command_has_its_node_engine_and_share(model):
    profile = kawara.profile(kawara.compile(model, shapes=SHAPES))
    rows = {(row["node"], row["command"]): row for row in profile["commands"]}
    product = rows["product", "gemm"]
    assert product["engine"] == "matrix" and product["op"] == "MatMul"
    assert rows["chances", "vector"]["engine"] == "vector"
    for row in profile["commands"]:
        assert 0 < row["share"] <= 1 and row["share"] == row["cycles"] / profile["cycles"] and row["cycles"] >= row["alone"]
    assert max(row["start"] + row["cycles"] for row in profile["commands"]) == profile["cycles"]


def check_trace(trace):
    """What the Trace Event Format asks of complete and metadata events, and viewers of the slices of one track."""
    tracks = {}
    for event in trace["traceEvents"]:
        assert isinstance(event["name"], str) and isinstance(event["pid"], int) and isinstance(event["tid"], int)
        assert event["ph"] in ("M", "X") and event["ts"] >= 0
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name", "thread_sort_index") and len(event["args"]) == 1
        else:
            assert event["dur"] >= 0
            tracks.setdefault(event["tid"], []).append((event["ts"], event["ts"] + event["dur"]))
    for slices in tracks.values():
        for (_, end), (begin, _) in zip(slices, slices[1:]):
            assert begin >= end - 1e-9, "slices of an engine follow one another"
    named = {event["tid"] for event in trace["traceEvents"] if event["name"] == "thread_name"}
    assert set(tracks) <= named
    return sum(map(len, tracks.values()))


def test_the_trace_has_a_slice_for_each_command_on_its_engines_track(model, tmp_path):
    file = tmp_path / "trace.json"
    status, out, err = command_line("profile", model, "--shape", "x=32,64", "--trace", file, "--json")
    assert status == 0, err
    profile, trace = json.loads(out), json.loads(file.read_text())
    assert check_trace(trace) == len(profile["commands"])
    names = {event["tid"]: event["args"]["name"] for event in trace["traceEvents"] if event["name"] == "thread_name"}
    slices = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    (gemm,) = [event for event in slices if event["cat"] == "gemm"]
    row = next(row for row in profile["commands"] if row["command"] == "gemm")
    assert names[gemm["tid"]] == "matrix" and gemm["name"] == "product"
    assert gemm["ts"] == pytest.approx(row["start"] / profile["clock_mhz"]) and gemm["dur"] == pytest.approx(row["cycles"] / profile["clock_mhz"])
    assert trace["otherData"]["source"] == profile["source"]


def test_the_table_says_whose_cycles_they_are(model, tmp_path):
    program = tmp_path / "m.kwr"
    assert command_line("compile", model, "--shape", "x=32,64", "--target", "k1-mini", "-o", program)[0] == 0
    for arguments in ([model, "--shape", "x=32,64", "--target", "k1-mini"], [program]):
        status, out, err = command_line("profile", *arguments)
        assert status == 0, err
        assert "cost model" in out and "not a measurement of silicon" in out and "cycles on k1-mini" in out
        product = next(line for line in out.splitlines() if line.startswith("product"))
        assert "gemm" in product and "matrix" in product and "%" in product


def test_the_longest_commands_come_first_and_all_as_they_start(model):
    profile = kawara.profile(kawara.compile(model, shapes=SHAPES))
    longest = max(profile["commands"], key=lambda row: row["cycles"])
    out = command_line("profile", model, "--shape", "x=32,64", "--top", "1")[1]
    assert f"{longest['cycles']:,}" in out.splitlines()[1] and f"and {len(profile['commands']) - 1} more" in out
    out = command_line("profile", model, "--shape", "x=32,64", "--top", "0")[1]
    assert "more:" not in out and len(out.splitlines()) >= len(profile["commands"]) + 3


def test_what_can_not_be_profiled_is_refused(model, tmp_path):
    assert "shape_required" in refused("profile", model)
    assert "no file" in refused("profile", tmp_path / "absent.onnx")
    message = refused("profile", model, "--shape", "x=32,64", "--trace", tmp_path / "nowhere" / "t.json")
    assert "io_failed" in message and "nowhere" in message
