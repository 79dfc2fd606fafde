# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C at a process, wherever it is: KeyboardInterrupt at once, what was used works on, and the process soon ends."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from onnx import TensorProto, helper

SCRIPT = """
import sys, threading
import numpy as np
import kawara
folder, what, device = sys.argv[1:]
chain, products = folder + "/chain.onnx", folder + "/products.onnx"
n = 600
T = np.ones((2, 8), np.float32)
X = np.ones((n, n), np.float32)
if what == "load":
    kawara.compile(chain, shapes={"t0": (2, 8)}).save(folder + "/chain.kwr")
if what in ("relower", "of_a_program"):
    program = kawara.compile(chain, shapes={"t0": (2, 8)})
if what in ("new_shapes", "another_threads_new_shapes"):
    session = kawara.InferenceSession(chain, device)
if what == "run":
    session = kawara.InferenceSession(products, device)
if what == "another_threads_new_shapes":
    threading.Thread(target=lambda: session.run(None, {"t0": np.ones((3, 8), np.float32)}), daemon=True).start()
calls = {
    "compile": lambda: kawara.compile(chain, shapes={"t0": (2, 8)}),
    "of_a_model": lambda: kawara.InferenceSession(chain, device, shapes={"t0": (2, 8)}),
    "load": lambda: kawara.InferenceSession(folder + "/chain.kwr", device + ",config=k1-mini"),
    "of_a_program": lambda: kawara.InferenceSession(program, device + ",config=k1-mini"),
    "relower": lambda: program.relower("k1-mini"),
    "new_shapes": lambda: session.run(None, {"t0": T}),
    "another_threads_new_shapes": lambda: session.run(None, {"t0": T}),
    "run": lambda: session.run(None, {"t0": X}),
}
print("begins", flush=True)
try:
    calls[what]()
except KeyboardInterrupt:
    print("interrupted", flush=True)
sys.stdin.readline()
if what == "run" and "again" in sys.stdin.readline():
    y = session.run(None, {"t0": X})[0]
    print("again", np.array_equal(y, X), flush=True)
"""
CALLS = ["compile", "of_a_model", "load", "of_a_program", "relower", "new_shapes", "another_threads_new_shapes", "run"]
DEVICES = ["emulator:reference", "emulator:vulkan"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """chain.onnx compiles for more than a second, products.onnx runs for as long."""
    import onnx

    folder = tmp_path_factory.mktemp("models")

    def save(name, op, count, shape, constants=()):
        nodes = [helper.make_node(op, [f"t{i}", *(n for n, _ in constants)], [f"t{i + 1}"]) for i in range(count)]
        graph = helper.make_graph(nodes, "test", [helper.make_tensor_value_info("t0", TensorProto.FLOAT, shape)],
                                  [helper.make_tensor_value_info(f"t{count}", TensorProto.FLOAT, shape)],
                                  [onnx.numpy_helper.from_array(value, n) for n, value in constants])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / name)

    save("chain.onnx", "Softmax", 15000, ["n", 8])
    save("products.onnx", "MatMul", 80, [600, 600], [("w", np.eye(600, dtype=np.float32))])
    return str(folder)


def interrupted(models, what, device):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, models, what, device], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begins\n", process.stderr.read()
    time.sleep(0.2)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    line = process.stdout.readline()
    return process, line, time.monotonic() - begin


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("what", CALLS)
def test_ctrl_c_is_prompt_and_so_is_the_end_of_the_process(models, what, device):
    process, line, seconds = interrupted(models, what, device)
    begin = time.monotonic()
    _, errors = process.communicate("\n\n", timeout=60)
    assert (line, process.returncode, errors) == ("interrupted\n", 0, "")
    assert seconds < 0.7, "until KeyboardInterrupt"
    assert time.monotonic() - begin < 1.5, "until the process had ended"


@pytest.mark.parametrize("device", DEVICES)
def test_a_session_works_on_after_ctrl_c(models, device):
    process, line, _ = interrupted(models, "run", device)
    output, errors = process.communicate("\nagain\n", timeout=60)
    assert (line, output, process.returncode, errors) == ("interrupted\n", "again True\n", 0, "")
