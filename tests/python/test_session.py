# SPDX-License-Identifier: Apache-2.0
"""InferenceSession as ONNX Runtime's users expect it."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from onnx import TensorProto, helper

import kawara

X = np.array([[-1, 0, 2, 3]], np.float32)
DEVICE = "emulator:reference"


def test_run_returns_every_output_in_order(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE)
    (y,) = session.run(None, {"x": X})
    np.testing.assert_array_equal(y, np.maximum(X, 0))
    assert y.dtype == np.float32


def test_inputs_outputs_and_metadata_read_as_in_onnx_runtime(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE)
    (x,) = session.get_inputs()
    assert (x.name, x.shape, x.type) == ("x", ["batch", 4], "tensor(float)")
    assert session.get_outputs()[0].name == "y"
    assert session.get_modelmeta().custom_metadata_map == {"author": "nobody"}
    assert session.device.startswith("emulator:reference")


def test_a_new_batch_size_is_compiled_and_the_old_one_kept(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE)
    for batch in (1, 3, 1):
        x = np.arange(batch * 4, dtype=np.float32).reshape(batch, 4) - 2
        np.testing.assert_array_equal(session.run(["y"], {"x": x})[0], np.maximum(x, 0))


def test_a_program_survives_its_file(relu_model, tmp_path):
    program = kawara.compile(relu_model, shapes={"x": (1, 4)})
    path = tmp_path / "relu.kwr"
    program.save(path)
    first = path.read_bytes()
    kawara.compile(relu_model, shapes={"x": (1, 4)}).save(path)
    assert path.read_bytes() == first  # same model, options and version: same bytes
    for model in (program, path, kawara.Program.load(path)):
        np.testing.assert_array_equal(kawara.InferenceSession(model, DEVICE).run(None, {"x": X})[0], np.maximum(X, 0))
    assert program.report()


def test_arrays_need_not_be_contiguous(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE)
    x = np.arange(8, dtype=np.float32).reshape(1, 8)[:, ::2] - 3
    np.testing.assert_array_equal(session.run(None, {"x": x})[0], np.maximum(x, 0))


def test_many_threads_share_a_session(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE, shapes={"x": (1, 4)})
    wrong = []

    def work(seed):
        for i in range(20):
            x = np.full((1, 4), seed * 100 + i, np.float32)
            if not np.array_equal(session.run(None, {"x": x})[0], x):
                wrong.append((seed, i))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


@pytest.mark.parametrize("feeds, words", [
    ({"z": X}, ["no input 'z'", "'x'"]),
    ({"x": X.astype(np.float64)}, ["float64", "x"]),
    ({"x": X.astype(np.int32)}, ["'x'", "f32", "i32"]),
    ({"x": X[0]}, ["'x'", "[batch, 4]", "[4]"]),
    ({"x": np.zeros((1, 5), np.float32)}, ["'x'", "[batch, 4]", "[1, 5]"]),
    ({}, ["'x'", "missing"]),
])
def test_a_wrong_feed_is_refused_with_name_rule_and_value(relu_model, feeds, words):
    session = kawara.InferenceSession(relu_model, DEVICE)
    with pytest.raises(kawara.Error) as caught:
        session.run(None, feeds)
    assert caught.value.code == "wrong_input"
    for word in words:
        assert word in caught.value.message
    np.testing.assert_array_equal(session.run(None, {"x": X})[0], np.maximum(X, 0))  # nothing was lost


def test_an_unknown_output_is_refused(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE)
    with pytest.raises(kawara.Error, match="no output 'q'.*'y'") as caught:
        session.run(["q"], {"x": X})
    assert caught.value.code == "not_found"


def test_a_closed_session_says_so(relu_model):
    with kawara.InferenceSession(relu_model, DEVICE) as session:
        pass
    with pytest.raises(kawara.Error, match="closed"):
        session.run(None, {"x": X})


def test_an_unknown_device_lists_what_there_is(relu_model):
    with pytest.raises(kawara.Error) as caught:
        kawara.InferenceSession(relu_model, "gpu7")
    assert caught.value.code == "not_found" and "emulator" in caught.value.message


def test_devices_are_listed():
    assert any(device["kind"] == "emulator" for device in kawara.devices())


@pytest.fixture
def ctrl_c():
    """ctrl_c(seconds): Ctrl-C after that time, in another thread's while."""
    timers = []

    def after(seconds):
        timers.append(threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)))
        timers[-1].start()

    yield after
    for timer in timers:
        timer.join()


def test_ctrl_c_ends_the_wait_for_a_run_and_the_session_works_on(model_file, ctrl_c):
    n = 900
    weights = np.eye(n, dtype=np.float32) * 2
    path = model_file([helper.make_node("MatMul", ["x", "w"], ["y"])], [("x", TensorProto.FLOAT, [n, n])],
                      [("y", TensorProto.FLOAT, [n, n])], [("w", weights)])
    session = kawara.InferenceSession(path, DEVICE)
    x = np.ones((n, n), np.float32)
    begin = time.monotonic()
    session.run(None, {"x": x})
    whole = time.monotonic() - begin
    begin = time.monotonic()
    ctrl_c(whole / 10)
    with pytest.raises(KeyboardInterrupt):
        session.run(None, {"x": x})
    assert time.monotonic() - begin < whole * 0.7, f"a run takes {whole} s, and nobody waits for its end"
    np.testing.assert_array_equal(session.run(None, {"x": x * 3})[0], x * 6)


def test_ctrl_c_ends_the_wait_for_a_compilation(model_file, ctrl_c):
    chain = [helper.make_node("Softmax", [f"t{i}"], [f"t{i + 1}"]) for i in range(3000)]
    path = model_file(chain, [("t0", TensorProto.FLOAT, [4, 8])], [("t3000", TensorProto.FLOAT, [4, 8])])
    begin = time.monotonic()
    kawara.compile(path)
    whole = time.monotonic() - begin
    begin = time.monotonic()
    ctrl_c(whole / 10)
    with pytest.raises(KeyboardInterrupt):
        kawara.compile(path)
    assert time.monotonic() - begin < whole * 0.7, f"a compilation takes {whole} s"


LEAVES = """
import sys, threading, time
import numpy as np
import kawara
session = kawara.InferenceSession(sys.argv[1], "emulator:reference")
threading.Thread(target=lambda: session.run(None, {"x": np.ones((900, 900), np.float32)}), daemon=True).start()
time.sleep(0.1)
"""


def test_the_interpreter_may_end_while_a_run_is_under_way(model_file):
    path = model_file([helper.make_node("MatMul", ["x", "x"], ["y"])], [("x", TensorProto.FLOAT, [900, 900])],
                      [("y", TensorProto.FLOAT, [900, 900])])
    ended = subprocess.run([sys.executable, "-c", LEAVES, path], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
