# SPDX-License-Identifier: Apache-2.0
"""Every error of the catalogue, provoked from Python, and what people see of it."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper

import kawara
from kawara import _kawara

REFERENCE = "emulator:reference,config=k1-mini"


def fixed(model_file, op="Relu", shape=(4,), constants=()):
    inputs = ["x", *(name for name, _ in constants)]
    return model_file([helper.make_node(op, inputs, ["y"], name="the_node")],
                      [("x", TensorProto.FLOAT, shape)], [("y", TensorProto.FLOAT, None)], constants)


def of_bytes(folder, name, data):
    (folder / name).write_bytes(data)
    return folder / name


def in_a_child(model):
    """A session of the parent, used after a fork; the child prints its code."""
    script = """if True:
        import os, sys, numpy, kawara
        session = kawara.InferenceSession(sys.argv[1], sys.argv[2])
        if os.fork() == 0:
            try:
                session.run(None, {"x": numpy.zeros(4, numpy.float32)})
            except kawara.Error as error:
                print(error.code, error.message, sep="|", flush=True)
            os._exit(0)
        os.wait()
        """
    done = subprocess.run([sys.executable, "-c", script, model, REFERENCE], capture_output=True, text=True, check=True)
    code, _, message = done.stdout.strip().partition("|")
    raise kawara.Error(message, code)


# code: (what provokes it, the thing that the message names)
ROWS = {
    "invalid_argument": (lambda write, folder: kawara.InferenceSession(fixed(write), REFERENCE, shapes={"x": "four"}), "'x'"),
    "not_found": (lambda write, folder: kawara.compile(folder / "absent.onnx"), "absent.onnx"),
    "invalid_model": (lambda write, folder: kawara.compile(of_bytes(folder, "broken.onnx", bytes(64))), "broken.onnx"),
    "invalid_program": (lambda write, folder: kawara.Program.load(of_bytes(folder, "broken.kwr", b"nothing")), "broken.kwr"),
    "invalid_capture": (lambda write, folder: kawara.replay(of_bytes(folder, "broken.kwj", b"nothing")), "broken.kwj"),
    "unsupported": (lambda write, folder: kawara.compile(fixed(write, "Frobnicate")), "the_node"),
    "shape_required": (lambda write, folder: kawara.compile(fixed(write, shape=("n", 4))), "'x'"),
    "wrong_input": (lambda write, folder: kawara.InferenceSession(fixed(write), REFERENCE).run(None, {"z": np.zeros(4, np.float32)}), "'z'"),
    "out_of_memory": (lambda write, folder: kawara.compile(fixed(write, "Relu", (1 << 28,)), target="k1-mini"), "local memory"),
    "device_unavailable": (lambda write, folder: kawara.InferenceSession(fixed(write), "/dev/accel/accel0"), "/dev/accel/accel0"),
    "forked": (lambda write, folder: in_a_child(fixed(write)), "process"),
    "io_failed": (lambda write, folder: kawara.compile(fixed(write)).save(folder / "absent" / "m.kwr"), "absent/m.kwr"),
}

# What Python's interface cannot bring about, and why.
OUT_OF_REACH = {
    "device_fault": "takes commands that the compiler does not write; tests/public/errors_test.cpp writes some",
    "queue_dead": "a session takes a new queue after a fault; tests/public/errors_test.cpp has a bare device",
    "version_mismatch": "takes a program of another version; tests/public/errors_test.cpp makes one",
    "device_lost": "takes an engine that does not stop when it is told to: Driver.ResetsADeviceWhoseQueueDoesNotStop has one",
    "internal": "takes a mistake in kawara: PlanCheck makes several",
}


def test_every_row_is_provoked_or_out_of_reach_for_a_reason():
    assert ROWS.keys() & OUT_OF_REACH.keys() == set()
    assert ROWS.keys() | OUT_OF_REACH.keys() == _kawara.errors().keys()


@pytest.mark.parametrize("code", ROWS)
def test_an_error_carries_its_code_and_remedy_and_names_the_thing(code, model_file, tmp_path):
    provoke, thing = ROWS[code]
    with pytest.raises(kawara.Error) as caught:
        provoke(model_file, tmp_path)
    error = caught.value
    assert error.code == code and thing in error.message
    assert error.cause == _kawara.errors()[code][0]
    assert error.remedy
    assert str(error).startswith(f"{code}: ") and error.remedy in str(error)


def test_the_node_to_blame_is_told(model_file):
    error = kawara.Error("k must be even", "unsupported", "fc1")
    assert error.node == "fc1" and "where: node 'fc1'" in str(error)


def test_a_long_message_is_cut_to_a_screen_and_kept_whole(model_file):
    nodes = [helper.make_node("Frobnicate", ["x"], [f"y{i}"], name=f"node_{i}") for i in range(200)]
    path = model_file(nodes, [("x", TensorProto.FLOAT, [4])], [("y199", TensorProto.FLOAT, [4])])
    with pytest.raises(kawara.Error) as caught:
        kawara.compile(path)
    assert len(str(caught.value).splitlines()) <= 23
    assert "node_0" in str(caught.value) and caught.value.remedy in str(caught.value)


@pytest.mark.parametrize("clone", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_an_error_survives_pickling(clone, tmp_path):
    with pytest.raises(kawara.Error) as caught:
        kawara.compile(tmp_path / "absent.onnx")
    again = clone(caught.value)
    assert type(again) is kawara.Error and str(again) == str(caught.value)
    assert vars(again) == vars(caught.value)
