# SPDX-License-Identifier: Apache-2.0
"""A model in the form that other engines' converters read: opset 17, every shape stated, no weight among the inputs."""

from pathlib import Path

import onnx

OPSET = 17


def write_plain(model: Path, shapes: dict, out: Path) -> None:
    """What it computes stays the same: opset 13 changed what Softmax means by its axis, which a converter may not know."""
    proto = onnx.load(model)
    graph = proto.graph
    weights = {tensor.name for tensor in graph.initializer}
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    inputs = [value for value in graph.input if value.name not in weights]
    del graph.initializer[:], graph.input[:], graph.value_info[:]
    graph.initializer.extend(kept)
    for value in inputs:
        del value.type.tensor_type.shape.dim[:]
        for size in shapes[value.name]:
            value.type.tensor_type.shape.dim.add().dim_value = size
    graph.input.extend(inputs)
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    proto.ir_version = max(proto.ir_version, 8)  # 3 had weights among the inputs
    if next(row.version for row in proto.opset_import if row.domain in ("", "ai.onnx")) < OPSET:
        proto = onnx.version_converter.convert_version(proto, OPSET)
    onnx.save(onnx.shape_inference.infer_shapes(proto), out)
