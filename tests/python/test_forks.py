# SPDX-License-Identifier: Apache-2.0
"""Forks of a process with sessions: the child ends well, is told what it may not use, may open its own; the parent works on."""

import subprocess
import sys

import pytest
from onnx import TensorProto, helper

BEGIN = """
import multiprocessing, os, signal, sys, threading, time
import numpy as np
import kawara
path, chain, device, case = sys.argv[1:]
X = np.array([[-1, 0, 2, 3]], np.float32)
relu = lambda session: np.array_equal(session.run(None, {"x": X})[0], np.maximum(X, 0))
session = kawara.InferenceSession(path, device)
program = kawara.compile(path, shapes={"x": (1, 4)})
assert relu(session)

# what another thread of the parent is at when it forks
thread = None
if case == "compiles":
    thread = threading.Thread(target=lambda: kawara.compile(chain, shapes={"t0": (2, 8)}))
if case == "meets_new_shapes":
    other = kawara.InferenceSession(chain, device)
    thread = threading.Thread(target=lambda: other.run(None, {"t0": np.ones((2, 8), np.float32)}))
if thread:
    thread.start()
    time.sleep(0.1)
    assert thread.is_alive()

def code_of(call):
    try:
        call()
    except kawara.Error as error:
        return error.code
"""
END = """
if thread:
    thread.join()
assert relu(session)
print("the parent ends well")
"""

FORK = BEGIN + """
child = os.fork()
if child == 0:
    signal.alarm(30)
    %s
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0, "how the child ended"
""" + END

USES = """
    used = [lambda: session.run(None, {"x": X}), lambda: session.program]
    if thread and case == "meets_new_shapes":
        used += [lambda: other.run(None, {"t0": np.ones((3, 8), np.float32)}), lambda: other.program]
    assert [code_of(call) for call in used] == ["forked"] * len(used)
    assert session.get_inputs()[0].name == "x" and program.target == "k1"
"""

MULTIPROCESSING = BEGIN + """
def child():
    signal.alarm(30)
    assert code_of(lambda: session.run(None, {"x": X})) == "forked"
    with kawara.InferenceSession(program, device) as own:
        assert relu(own)

process = multiprocessing.get_context("fork").Process(target=child)
process.start()
process.join()
assert process.exitcode == 0
""" + END


@pytest.fixture
def chain(model_file):
    """Compiles for about a second."""
    nodes = [helper.make_node("Softmax", [f"t{i}"], [f"t{i + 1}"]) for i in range(10000)]
    return model_file(nodes, [("t0", TensorProto.FLOAT, ["n", 8])], [("t10000", TensorProto.FLOAT, ["n", 8])], name="chain.onnx")


@pytest.mark.parametrize("device", ["emulator:reference", "emulator"])
@pytest.mark.parametrize("case", ["idle", "compiles", "meets_new_shapes"])
@pytest.mark.parametrize("script", [
    pytest.param(FORK % "pass", id="the_child_ends"),
    pytest.param(FORK % USES, id="the_child_uses_what_is_not_its_own"),
    pytest.param(FORK % "session = None", id="the_child_drops_a_session"),
    pytest.param(FORK % "own = kawara.InferenceSession(program, device); assert relu(own)", id="the_child_opens_its_own_and_leaves_it_open"),
    pytest.param(MULTIPROCESSING, id="multiprocessing"),
])
def test_a_fork_ends_well(script, case, device, relu_model, chain):
    ended = subprocess.run([sys.executable, "-c", script, relu_model, chain, device, case], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "the parent ends well\n", "")
