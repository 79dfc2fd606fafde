# SPDX-License-Identifier: Apache-2.0
"""What exporters write for GELU, layer normalisation, softmax and quantised weights: few commands, and ONNX Runtime's results."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import kawara

node = helper.make_node
RNG = np.random.default_rng(5)
X = (RNG.standard_normal((3, 64)) * 3).astype(np.float32)
W = (RNG.standard_normal((64, 64)) / 8).astype(np.float32)
B = RNG.standard_normal(64).astype(np.float32)


def check(nodes, constants, commands, tmp_path, opset=17, x=X, y_shape=None, microsoft=False):
    """Both results, and how many commands on an engine that computes."""
    graph = helper.make_graph(nodes, "pattern", [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(x.shape))],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, list(y_shape or x.shape))],
                              [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    opsets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid("com.microsoft", 1)] if microsoft else [])
    path = str(tmp_path / "pattern.onnx")
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Its optimiser quantises the activations in front of quantised weights: another result than the model's.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    (expected,) = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, {"x": x})
    session = kawara.InferenceSession(path, "emulator:reference")
    np.testing.assert_allclose(session.run(None, {"x": x})[0], expected, rtol=1e-4, atol=1e-5)
    by_engine = session.program.report_data()["commands_by_engine"]
    assert by_engine.get("matrix", 0) + by_engine.get("vector", 0) == commands, by_engine
    return session.program


HALF, ONE, ROOT, INVERSE = np.float32(0.5), np.float32(1), np.float32(2**0.5), np.float32(2**-0.5)
LAYER = [node("MatMul", ["x", "w"], ["m"]), node("Add", ["m", "b"], ["a"])]
TANH = [node("Mul", ["cube", "c"], ["t"]), node("Add", ["a", "t"], ["u"]), node("Mul", ["u", "s"], ["v"]), node("Tanh", ["v"], ["w2"]),
        node("Add", ["w2", "one"], ["p"])]
ERF = [node("Div", ["a", "root"], ["d"]), node("Erf", ["d"], ["e"]), node("Add", ["e", "one"], ["p"])]

GELUS = {
    "erf of a quotient, half last": ERF + [node("Mul", ["a", "p"], ["q"]), node("Mul", ["q", "half"], ["y"])],
    "half of the input first": ERF + [node("Mul", ["a", "half"], ["h"]), node("Mul", ["h", "p"], ["y"])],
    "half of the sum, constants first": [node("Mul", ["inverse", "a"], ["d"]), node("Erf", ["d"], ["e"]), node("Add", ["one", "e"], ["p"]),
                                         node("Mul", ["half", "p"], ["h"]), node("Mul", ["h", "a"], ["y"])],
    "tanh, cube by Pow": [node("Pow", ["a", "three"], ["cube"])] + TANH + [node("Mul", ["a", "half"], ["h"]), node("Mul", ["h", "p"], ["y"])],
    "tanh, cube by Mul": [node("Mul", ["a", "a"], ["square"]), node("Mul", ["square", "a"], ["cube"])] + TANH +
                         [node("Mul", ["half", "p"], ["h"]), node("Mul", ["a", "h"], ["y"])],
    "the operator": [node("Gelu", ["a"], ["y"])],
    "the operator by tanh": [node("Gelu", ["a"], ["y"], approximate="tanh")],
    "microsoft's": [node("Gelu", ["a"], ["y"], domain="com.microsoft")],
    "microsoft's by tanh": [node("FastGelu", ["a"], ["y"], domain="com.microsoft")],
    "microsoft's by tanh, with a bias": [node("FastGelu", ["a", "b2"], ["y"], domain="com.microsoft")],
    "microsoft's with a bias": [node("BiasGelu", ["a", "b2"], ["y"], domain="com.microsoft")],
}


@pytest.mark.parametrize("form", GELUS)
def test_every_gelu_joins_the_product_before_it(form, tmp_path):
    constants = {"w": W, "b": B, "b2": B[::-1].copy(), "half": HALF, "one": ONE, "root": ROOT, "inverse": INVERSE, "three": np.float32(3),
                 "c": np.float32(0.044715), "s": np.float32((2 / np.pi)**0.5)}
    used = {name for n in LAYER + GELUS[form] for name in n.input}
    check(LAYER + GELUS[form], {k: v for k, v in constants.items() if k in used}, 1, tmp_path, opset=20, microsoft=True)


@pytest.mark.parametrize("square", [[node("Pow", ["d", "two"], ["sq"])], [node("Mul", ["d", "d"], ["sq"])]])
@pytest.mark.parametrize("affine", [False, True])
def test_an_old_layer_normalisation_is_one_command(square, affine, tmp_path):
    nodes = [node("ReduceMean", ["x"], ["mean"], axes=[-1]), node("Sub", ["x", "mean"], ["d"]), *square,
             node("ReduceMean", ["sq"], ["var"], axes=[-1]), node("Add", ["var", "eps"], ["ve"]), node("Sqrt", ["ve"], ["std"]),
             node("Div", ["d", "std"], ["q" if affine else "y"])]
    constants = {"two": np.float32(2), "eps": np.float32(1e-5)}
    if affine:
        nodes += [node("Mul", ["q", "scale"], ["p"]), node("Add", ["p", "bias"], ["y"])]
        constants |= {"scale": B, "bias": B[::-1].copy()}
    check(nodes, constants, 1, tmp_path, opset=13)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_softmax_before_opset_13_flattens(axis, tmp_path):
    check([node("Softmax", ["x"], ["y"], axis=axis)], {}, 1, tmp_path, opset=11, x=X.reshape(3, 4, 16))


def test_a_softmax_in_parts_is_one_command(tmp_path):
    check([node("ReduceMax", ["x"], ["m"], axes=[-1]), node("Sub", ["x", "m"], ["d"]), node("Exp", ["d"], ["e"]),
           node("ReduceSum", ["e", "axis"], ["s"]), node("Div", ["e", "s"], ["y"])], {"axis": np.int64([-1])}, 1, tmp_path, opset=13)


def test_a_softmax_without_its_maximum_is_three_commands_at_most(tmp_path):
    check([node("Exp", ["x"], ["e"]), node("ReduceSum", ["e", "axis"], ["s"]), node("Div", ["e", "s"], ["y"])], {"axis": np.int64([-1])}, 3, tmp_path, opset=13)


QUANTISED = RNG.integers(-128, 128, (64, 64), dtype=np.int8)
LARGE = RNG.integers(-128, 128, (64, 2048), dtype=np.int8)


@pytest.mark.parametrize("scale, zero, axis", [
    (np.float32(0.01), np.int8(0), 1), (np.float32(0.01), np.int8(-7), 1),
    (np.linspace(0.01, 0.02, 64, dtype=np.float32), np.zeros(64, np.int8), 1), (np.linspace(0.01, 0.02, 64, dtype=np.float32), np.full(64, 3, np.int8), 0),
])
def test_int8_weights_behind_dequantize_linear_take_one_command_more(scale, zero, axis, tmp_path):
    check([node("DequantizeLinear", ["q", "s", "z"], ["w"], axis=axis), node("MatMul", ["x", "w"], ["y"])],
          {"q": QUANTISED, "s": scale, "z": zero}, 2, tmp_path)


@pytest.mark.parametrize("nodes", [
    [node("Cast", ["q"], ["c"], to=TensorProto.FLOAT), node("Mul", ["c", "s"], ["w"])],
    [node("DequantizeLinear", ["q", "s"], ["w"])],
])
def test_large_int8_weights_stay_bytes_on_the_chip(nodes, tmp_path):
    program = check(nodes + [node("MatMul", ["x", "w"], ["y"])], {"q": LARGE, "s": np.float32(0.01)}, 2, tmp_path, y_shape=(3, 2048))
    assert program.report_data()["weights_bytes"] == LARGE.nbytes


@pytest.mark.parametrize("device", ["emulator:reference", "emulator:vulkan"])
@pytest.mark.parametrize("per_row", [False, True])
def test_a_quantised_embedding_dequantises_the_rows_it_looks_up(per_row, device, model_file):
    table = RNG.integers(0, 256, (2000, 64), np.uint8)  # 128,000 elements: more than are widened when compiling
    scale, zero = np.float32(0.03), np.uint8(117)
    if per_row:
        scale, zero = RNG.random(2000, np.float32) / 50, RNG.integers(0, 256, 2000, np.uint8)
    path = model_file([node("DequantizeLinear", ["t", "s", "z"], ["d"], axis=0), node("Gather", ["d", "i"], ["y"])],
                      [("i", TensorProto.INT64, [2, 3])], [("y", TensorProto.FLOAT, [2, 3, 64])], [("t", table), ("s", scale), ("z", zero)])
    session = kawara.InferenceSession(path, device)
    rows = np.array([[0, -1, 1234], [-2000, 1999, 77]])
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    (expected,) = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, {"i": rows})
    np.testing.assert_array_equal(session.run(None, {"i": rows})[0].view(np.uint32), expected.view(np.uint32))
    outside = session.run(None, {"i": np.array([[2000, -2001, 1 << 32], [-(1 << 40), 5, 2**31]])})[0]
    assert not outside.reshape(6, 64)[[0, 1, 2, 3, 5]].view(np.uint32).any() and outside[1, 1].any()
