# SPDX-License-Identifier: Apache-2.0
"""Single operators through every engine in GFLOP/s, beside what the machine's processor was measured to reach."""

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import contest


def _write(node, x_shape: tuple, weights: np.ndarray, y_shape: tuple, path: Path) -> None:
    graph = helper.make_graph([node], "operator", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x_shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, y_shape)], [numpy_helper.from_array(weights, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def _product(size: int):
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return f"GEMM {size}³", node, (size, size), (size, size), (size, size), 2 * size**3


def _convolution(channels: int, side: int):
    node = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    picture = (1, channels, side, side)
    return f"conv 3×3, {channels}×{side}×{side}", node, picture, (channels, channels, 3, 3), picture, 2 * channels * channels * 9 * side * side


def rates(engines: "list[contest.Engine]", rounds: int) -> "list[dict]":
    """A row per operator and engine, `gflops` from the median run: inputs and outputs are copied in it, weights are not."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for title, node, x_shape, w_shape, y_shape, operations in (_product(1024), _product(256), _convolution(64, 56)):
            generator = np.random.default_rng(operations)
            # above zero: no sum comes near it, where the rounding of a faster algorithm, e.g. Winograd's, would count as wrong
            weights, x = (generator.integers(1, 9, shape).astype(np.float32) / 8 for shape in (w_shape, x_shape))
            model = Path(folder) / "operator.onnx"
            _write(node, x_shape, weights, y_shape, model)
            for row in contest.measure({"operator": title}, model, {"x": x}, engines, rounds):
                if "failed" not in row:
                    row["gflops"] = operations / row["run_ms"] / 1e6
                rows.append(row)
    return rows


def peak(program: Path) -> dict:
    """The processor's own, by build/release/bin/peak: what it reaches where no memory is touched."""
    done = subprocess.run([program], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else {"failed": (done.stderr.strip() or "without a word").splitlines()[-1]}
