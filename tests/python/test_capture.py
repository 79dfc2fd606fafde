# SPDX-License-Identifier: Apache-2.0
"""Jobs kept in files, and run again: from Python and from the command line."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper
from typer.testing import CliRunner

import kawara
from kawara.cli import app

REFERENCE, VULKAN = "emulator:reference,config=k1-mini", "emulator:vulkan,config=k1-mini"


@pytest.fixture
def product_model(model_file):
    """y = x w, z = tanh(x); float32 [6, 40] by a constant [40, 10]."""
    weights = np.random.RandomState(1).standard_normal((40, 10)).astype(np.float32)
    return model_file([helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Tanh", ["x"], ["z"])],
                      [("x", TensorProto.FLOAT, [6, 40])], [("y", TensorProto.FLOAT, [6, 10]), ("z", TensorProto.FLOAT, [6, 40])], [("w", weights)])


X = np.random.RandomState(2).standard_normal((6, 40)).astype(np.float32)


@pytest.fixture
def broken_program(relu_model, tmp_path):
    """A program whose first command has a flag that no copy has: the chip refuses it."""
    path = tmp_path / "broken.kwr"
    kawara.compile(relu_model, shapes={"x": (1, 4)}, target="k1-mini").save(path)
    data = bytearray(path.read_bytes())
    at = data.index(bytes([0x30, 3, 240 // 16, 0]))  # commands.def: a copy on the engine DMA in, of 240 bytes, whose flags stand at 169
    data[at + 169] = 0x80
    path.write_bytes(data)
    return path


def command_line(*arguments, **environment):
    done = subprocess.run([sys.executable, "-m", "kawara.cli", *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False,
                          env={**os.environ, "COLUMNS": "140", "NO_COLOR": "1", **{name: str(value) for name, value in environment.items()}})
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize("device", [REFERENCE, VULKAN])
def test_a_replay_gives_the_same_bits_where_the_job_ran(product_model, tmp_path, device):
    with kawara.InferenceSession(product_model, device) as session:
        plain = session.run(None, {"x": X})
        captured = session.run(["z"], {"x": X}, capture=tmp_path / "job.kwj")
    np.testing.assert_array_equal(captured[0], plain[1])
    again = kawara.replay(tmp_path / "job.kwj")
    assert again["device"] == device and again["bits_promised"] and again["equal"] and again["as_promised"]
    assert [(row["name"], row["elements"], row["different"]) for row in again["outputs"]] == [("y", 60, 0), ("z", 240, 0)], "those not asked for too"
    assert again["cycles"] == again["captured_cycles"] > 0


@pytest.mark.parametrize("device, other", [(VULKAN, "emulator:reference"), (REFERENCE, "emulator:vulkan")])
def test_a_replay_on_the_other_executor_is_as_near_as_the_job_promises(product_model, tmp_path, device, other):
    with kawara.InferenceSession(product_model, device) as session:
        session.run(None, {"x": X}, capture=tmp_path / "job.kwj")
    again = kawara.replay(tmp_path / "job.kwj", other)
    assert again["device"] == f"{other},config=k1-mini" and again["as_promised"] and not again["bits_promised"]
    assert 0 <= again["outputs"][0]["max_abs"] <= again["outputs"][0]["tolerance"] and again["outputs"][1]["different"] == 0


@pytest.mark.parametrize("precision", ["bf16", "f16"])
def test_sums_that_are_rounded_to_16_bits_may_be_rounded_otherwise_elsewhere(model_file, tmp_path, precision):
    width = 256
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("MatMul", ["h", "w"], ["g"]), helper.make_node("MatMul", ["g", "w"], ["y"])]
    weights = (np.random.RandomState(3).standard_normal((width, width)) / 16).astype(np.float32)
    model = model_file(nodes, [("x", TensorProto.FLOAT, [64, width])], [("y", TensorProto.FLOAT, [64, width])], [("w", weights)])
    x = np.random.RandomState(4).standard_normal((64, width)).astype(np.float32)
    with kawara.InferenceSession(model, VULKAN, precision=precision) as session:
        session.run(None, {"x": x}, capture=tmp_path / "job.kwj")
    assert kawara.replay(tmp_path / "job.kwj")["equal"]
    again = kawara.replay(tmp_path / "job.kwj", "emulator:reference")
    largest = again["outputs"][0]["tolerance"] / again["relative_tolerance"]
    sums_alone = 2 * (width + 2) * 3 / 2**24 * largest
    assert again["as_promised"] and again["outputs"][0]["tolerance"] > sums_alone


def test_a_capture_needs_nothing_but_itself(product_model, tmp_path):
    run = command_line("run", product_model, "--device", "emulator:reference", "--capture", tmp_path / "job.kwj", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["capture"] == {"file": str(tmp_path / "job.kwj"), "bytes": (tmp_path / "job.kwj").stat().st_size}
    os.remove(product_model)
    again = command_line("replay", tmp_path / "job.kwj")
    assert again.returncode == 0 and "equal, bit for bit" in again.stdout, again.stdout + again.stderr
    assert json.loads(command_line("replay", tmp_path / "job.kwj", "--device", "emulator:vulkan", "--json").stdout)["as_promised"]
    shown = command_line("inspect", tmp_path / "job.kwj").stdout
    for words in ("compiled for k1", "a job that emulator:reference,config=k1 ran", "cycles; arena before it: zeros", "weights ", "input  x", "output y"):
        assert words in shown, shown


def test_a_program_that_the_chip_would_refuse_is_refused_before_it_is_a_job(broken_program, tmp_path):
    place = tmp_path / "faults"
    done = command_line("run", broken_program, "--device", REFERENCE, KAWARA_FAULTS=place)
    assert done.returncode == 1 and "invalid_program" in done.stderr and "byte 169" in done.stderr
    assert not place.exists()


@pytest.mark.parametrize("changes, status, words", [
    ({"equal": True, "as_promised": True}, 0, "equal, bit for bit"),
    ({"equal": False, "as_promised": True, "bits_promised": False}, 0, "within 0.25 of the largest magnitude"),
    ({"equal": False, "as_promised": False, "bits_promised": False}, 1, "DIFFERENT: errors beyond"),
    ({"equal": False, "as_promised": False}, 1, "DIFFERENT: the job promises the same bits here"),
    ({"equal": False, "as_promised": False, "captured_fault": "engine_hang: an engine"}, 1, "now      it ended well")])
def test_the_status_tells_whether_the_promise_was_kept(product_model, tmp_path, monkeypatch, changes, status, words):
    path = tmp_path / "job.kwj"
    with kawara.InferenceSession(product_model, REFERENCE) as session:
        session.run(None, {"x": X}, capture=path)
    monkeypatch.setattr(kawara, "replay", lambda capture, device, replay=kawara.replay: replay(capture, device) | {"relative_tolerance": 0.25} | changes)
    done = CliRunner().invoke(app, ["replay", str(path)])
    assert done.exit_code == status and words in " ".join(done.output.split()).replace("now it", "now      it"), done.output


@pytest.mark.parametrize("change, code", [(lambda data: b"", "invalid_capture"), (lambda data: data[:-1], "invalid_capture"), (lambda data: data[:3000], "invalid_capture"),
                                          (lambda data: data + b"x", "invalid_capture"), (lambda data: bytes(len(data)), "invalid_capture"),
                                          (lambda data: data[:-3000] + bytes([data[-3000] ^ 1]) + data[-2999:], "invalid_capture")])
def test_a_damaged_capture_is_refused(relu_model, tmp_path, change, code):
    path = tmp_path / "job.kwj"
    with kawara.InferenceSession(relu_model, REFERENCE) as session:
        session.run(None, {"x": np.ones((1, 4), np.float32)}, capture=path)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(kawara.Error) as caught:
        kawara.replay(path)
    assert caught.value.code == code and "job.kwj" in caught.value.message
    done = command_line("replay", path)
    assert done.returncode == 1 and code in done.stderr


def test_what_is_no_capture_and_what_is_one(relu_model, tmp_path):
    assert "not_found" in command_line("replay", tmp_path / "absent.kwj").stderr
    assert "invalid_capture" in command_line("replay", relu_model).stderr
    with kawara.InferenceSession(relu_model, REFERENCE) as session:
        session.run(None, {"x": np.ones((1, 4), np.float32)}, capture=tmp_path / "job.kwj")
        with pytest.raises(kawara.Error) as caught:
            session.run(None, {"x": np.ones((1, 4), np.float32)}, capture=tmp_path / "absent" / "job.kwj")
        assert caught.value.code == "io_failed"
    assert "kawara replay" in command_line("run", tmp_path / "job.kwj").stderr
