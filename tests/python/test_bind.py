# SPDX-License-Identifier: Apache-2.0
"""bind: fixed places for inputs and outputs, in the caller's memory or in the chip's reach, and what such places must be."""

import gc
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from onnx import TensorProto, helper

import kawara

DEVICES = ["emulator:reference", "emulator:vulkan"]
DEVICE = "emulator:reference"
SHAPES = {"x": (2, 4)}


def x_of(seed):
    return np.random.RandomState(seed).standard_normal((2, 4)).astype(np.float32)


@pytest.fixture
def two_model(model_file):
    """s = a + b and d = a - b, float32 [3]."""
    return model_file([helper.make_node("Add", ["a", "b"], ["s"]), helper.make_node("Sub", ["a", "b"], ["d"])],
                      [("a", TensorProto.FLOAT, [3]), ("b", TensorProto.FLOAT, [3])], [("s", TensorProto.FLOAT, [3]), ("d", TensorProto.FLOAT, [3])])


@pytest.mark.parametrize("device", DEVICES)
def test_runs_read_and_write_the_bindings_own_arrays(relu_model, device):
    session = kawara.InferenceSession(relu_model, device, shapes=SHAPES)
    binding = session.bind()
    x, y = binding.inputs["x"], binding.outputs["y"]
    assert x.shape == y.shape == (2, 4) and x.dtype == y.dtype == np.float32
    for seed in range(3):
        x[:] = x_of(seed)
        (result,) = binding.run()
        assert result is y
        np.testing.assert_array_equal(y, np.maximum(x_of(seed), 0))
        np.testing.assert_array_equal(x, x_of(seed))
    assert binding.cycles > 0


@pytest.mark.parametrize("device", DEVICES)
def test_preallocated_arrays_are_read_and_filled_in_place(relu_model, device):
    session = kawara.InferenceSession(relu_model, device)
    x, y = x_of(0), np.full((2, 4), np.nan, np.float32)
    address = y.ctypes.data
    binding = session.bind({"x": x}, {"y": y})
    assert binding.inputs["x"] is x and binding.outputs["y"] is y
    for seed in range(2):
        x[:] = x_of(seed)
        binding.run()
        assert y.ctypes.data == address
        np.testing.assert_array_equal(y, np.maximum(x_of(seed), 0))


def test_both_kinds_of_places_go_together(two_model):
    session = kawara.InferenceSession(two_model, DEVICE)
    a, s = np.array([1, 2, 3], np.float32), np.zeros(3, np.float32)
    binding = session.bind({"a": a}, {"s": s})
    assert list(binding.inputs) == ["a", "b"] and list(binding.outputs) == ["s", "d"]
    binding.inputs["b"][:] = [10, 20, 30]
    outputs = binding.run()
    assert outputs[0] is s
    np.testing.assert_array_equal(outputs, [[11, 22, 33], [-9, -18, -27]])


def test_a_part_of_a_larger_array_is_filled_and_the_rest_left_alone(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE, shapes=SHAPES)
    results = np.full((3, 2, 4), 7, np.float32)
    binding = session.bind(outputs={"y": results[1]})
    binding.inputs["x"][:] = -1
    binding.run()
    assert (results[[0, 2]] == 7).all() and (results[1] == 0).all()


def test_bindings_of_one_session_and_its_own_runs_do_not_disturb_one_another(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE, slots=2)
    bindings = [session.bind(shapes={"x": (batch, 4)}) for batch in (1, 2, 2)]
    for i, binding in enumerate(bindings):
        binding.inputs["x"][:] = i + 1
    for binding in bindings:
        binding.run()
    np.testing.assert_array_equal(session.run(None, {"x": x_of(5)})[0], np.maximum(x_of(5), 0))
    for i, binding in enumerate(bindings):
        assert (binding.outputs["y"] == i + 1).all() and binding.outputs["y"].shape == ((1, 2, 2)[i], 4)


def test_bindings_run_asynchronously_side_by_side(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE, shapes=SHAPES, slots=2)
    bindings = [session.bind() for _ in range(4)]
    for round in range(5):
        for i, binding in enumerate(bindings):
            binding.inputs["x"][:] = x_of(10 * round + i)
        futures = [binding.run_async() for binding in bindings]
        for i, future in enumerate(futures):
            np.testing.assert_array_equal(future.result(30)[0], np.maximum(x_of(10 * round + i), 0))


def test_arrays_outlive_binding_and_session(relu_model):
    binding = kawara.InferenceSession(relu_model, DEVICE, shapes=SHAPES).bind()
    binding.inputs["x"][:] = 3
    (y,) = binding.run()
    del binding
    gc.collect()
    assert (y == 3).all()


def test_memory_of_dropped_bindings_comes_back(model_file):
    path = model_file([helper.make_node("Relu", ["x"], ["y"])], [("x", TensorProto.FLOAT, [1 << 22])], [("y", TensorProto.FLOAT, [1 << 22])])
    session = kawara.InferenceSession(path, DEVICE)

    def resident():
        return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) >> 10

    def once():
        session.bind().run()

    once()
    before = resident()
    for _ in range(8):  # 32 MiB each
        once()
    assert resident() < before + 100


@pytest.mark.parametrize("inputs, outputs, code, words", [
    ({"x": x_of(0).astype(np.float64)}, {}, "wrong_input", ["input 'x'", "float64"]),
    ({"x": x_of(0).astype(np.int32)}, {}, "wrong_input", ["input 'x'", "f32", "i32"]),
    ({"x": x_of(0).astype(">f4")}, {}, "wrong_input", ["input 'x'", ">f4"]),
    ({"x": np.zeros((2, 5), np.float32)}, {}, "wrong_input", ["input 'x'", "[batch, 4]", "[2, 5]"]),
    ({"x": np.zeros((4, 2), np.float32).T}, {}, "wrong_input", ["input 'x'", "row-major", "strides"]),
    ({"x": [[1, 2, 3, 4]]}, {}, "wrong_input", ["input 'x'", "list"]),
    ({"z": x_of(0)}, {}, "wrong_input", ["no input 'z'", "'x'"]),
    ({}, {"z": x_of(0)}, "not_found", ["no output 'z'", "'y'"]),
    ({}, {"y": x_of(0).astype(np.float16)}, "invalid_argument", ["output 'y'", "f32", "f16"]),
    ({}, {"y": x_of(0).astype(np.complex64)}, "invalid_argument", ["output 'y'", "complex64"]),
    ({}, {"y": np.zeros((1, 4), np.float32)}, "invalid_argument", ["output 'y'", "[2, 4]", "[1, 4]"]),
    ({}, {"y": np.zeros(8, np.float32)}, "invalid_argument", ["output 'y'", "[2, 4]", "[8]"]),
    ({}, {"y": np.zeros((2, 8), np.float32)[:, ::2]}, "invalid_argument", ["output 'y'", "row-major", "strides"]),
    ({}, {"y": np.broadcast_to(np.float32(0), (2, 4))}, "invalid_argument", ["output 'y'", "read-only"]),
    ({}, {"y": [0] * 8}, "invalid_argument", ["output 'y'", "list"]),
])
def test_a_place_that_can_not_serve_is_refused_with_name_rule_and_value(relu_model, inputs, outputs, code, words):
    session = kawara.InferenceSession(relu_model, DEVICE, shapes=SHAPES)
    with pytest.raises(kawara.Error) as caught:
        session.bind(inputs, outputs)
    assert caught.value.code == code
    for word in words:
        assert word in caught.value.message


def test_open_dimensions_must_be_given(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE)
    with pytest.raises(kawara.Error, match="input 'x'.*batch.*open") as caught:
        session.bind()
    assert caught.value.code == "shape_required" and "shapes={'x'" in caught.value.remedy
    with pytest.raises(kawara.Error, match="no input 'z'"):
        session.bind(shapes={"z": (1, 4)})
    assert session.bind(shapes={"x": (5, 4)}).outputs["y"].shape == (5, 4)
    assert session.bind({"x": x_of(0)}).outputs["y"].shape == (2, 4)


def test_arrays_of_the_other_byte_order_are_not_taken_for_this_ones(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE)
    with pytest.raises(kawara.Error, match=">f4"):
        session.run(None, {"x": x_of(0).astype(">f4")})


@pytest.fixture
def slow_binding(model_file):
    path = model_file([helper.make_node("MatMul", ["x", "x"], ["y"])], [("x", TensorProto.FLOAT, [500, 500])], [("y", TensorProto.FLOAT, [500, 500])])
    return kawara.InferenceSession(path, DEVICE, slots=2).bind()


def test_a_binding_has_one_run_at_a_time(slow_binding):
    slow_binding.inputs["x"][:] = np.eye(500)
    future = slow_binding.run_async()
    for again in (slow_binding.run, slow_binding.run_async):
        with pytest.raises(kawara.Error, match="still under way"):
            again()
    np.testing.assert_array_equal(future.result(30)[0], np.eye(500))
    slow_binding.run()


def test_a_closed_session_runs_no_binding(relu_model):
    with kawara.InferenceSession(relu_model, DEVICE, shapes=SHAPES) as session:
        binding = session.bind()
        future = binding.run_async()
    assert future.done() and future.exception() is None
    for run in (binding.run, binding.run_async, session.bind):
        with pytest.raises(kawara.Error, match="closed"):
            run()


CTRL_C = """
import sys
import kawara
session = kawara.InferenceSession(sys.argv[1], sys.argv[2])
binding = session.bind()
print("begins", flush=True)
try:
    binding.run()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("device", DEVICES)
def test_ctrl_c_ends_the_wait_for_a_binding_and_soon_the_process(model_file, device):
    path = model_file([helper.make_node("MatMul", [f"t{i}" if i else "x", "x"], [f"t{i + 1}"]) for i in range(200)],
                      [("x", TensorProto.FLOAT, [1500, 1500])], [("t200", TensorProto.FLOAT, [1500, 1500])])
    process = subprocess.Popen([sys.executable, "-c", CTRL_C, path, device], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begins\n", process.stderr.read()
    time.sleep(0.3)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (output, process.returncode, errors) == ("interrupted\n", 0, "")
    assert time.monotonic() - begin < 10, "the run would take most of a minute"


def test_a_forked_child_may_drop_a_binding_and_is_told_that_it_is_not_its_own(relu_model):
    session = kawara.InferenceSession(relu_model, DEVICE, shapes=SHAPES)
    binding = session.bind()
    child = os.fork()
    if child == 0:
        codes = []
        for call in (binding.run, binding.run_async, session.bind, lambda: binding.cycles):
            try:
                call()
            except kawara.Error as error:
                codes.append(error.code)
        del binding
        gc.collect()
        os._exit(0 if codes == ["forked"] * 4 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    binding.inputs["x"][:] = 2
    assert (binding.run()[0] == 2).all()


FORKS = """
import os, sys, gc
import kawara
y = kawara.InferenceSession(sys.argv[1], sys.argv[2], shapes={"x": (2, 4)}).bind().run()[0]
gc.collect()
print(len(kawara.session._users_of_devices))
sys.stdout.flush()
child = os.fork()
if child == 0:
    y = None
    sys.exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), y.shape)
"""


@pytest.mark.parametrize("device", DEVICES)
def test_a_fork_ends_well_where_arrays_alone_are_left_of_a_binding(relu_model, device):
    ended = subprocess.run([sys.executable, "-c", FORKS, relu_model, device], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1\n0 (2, 4)\n", "")
