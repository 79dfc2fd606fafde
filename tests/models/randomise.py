# SPDX-License-Identifier: Apache-2.0
"""Weights for models that are published without theirs: constant fills become seeded random numbers, the same everywhere."""

import zlib
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper


def randomised(name: str, path: Path) -> Path:
    """A copy of the model beside it whose ConstantOfShape weights are He-normal initializers (variances: 0.5 to 1.5)."""
    out = path.with_suffix(".random.onnx")
    if out.exists():
        return out
    model = onnx.load(path)
    graph = model.graph
    shapes = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    variances = {node.input[4] for node in graph.node if node.op_type == "BatchNormalization"}
    for node in [node for node in graph.node if node.op_type == "ConstantOfShape"]:
        weight, shape = node.output[0], [int(d) for d in shapes[node.input[0]]]
        generator = np.random.RandomState(zlib.crc32(f"{name}/{weight}".encode()))
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 0
        values = generator.standard_normal(shape) * (2 / fan_in) ** 0.5 if fan_in else 0.1 * generator.standard_normal(shape)
        if weight in variances:
            values = 0.5 + generator.uniform(0, 1, shape)
        graph.initializer.append(numpy_helper.from_array(np.asarray(values, np.float32), weight))
        graph.node.remove(node)
    onnx.save(model, out)
    return out
