# SPDX-License-Identifier: Apache-2.0
"""Matrix products in bf16 and f16: within what rounding explains, on both executors, beside ONNX Runtime; and what is said of it."""

import json
import os
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

import kawara

DEVICES = ["emulator:reference,config=k1-mini", "emulator:vulkan,config=k1-mini"]
U = {"bf16": 2.0**-8, "f16": 2.0**-11}  # unit roundoffs: half the distance from 1 to the next
U32 = 2.0**-24
CODES = {"bf16": TensorProto.BFLOAT16, "f16": TensorProto.FLOAT16}

both = pytest.mark.parametrize("device", DEVICES)
each = pytest.mark.parametrize("precision", list(U))


def values(seed, *shape):
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def session_of(model, device, precision):
    return kawara.InferenceSession(model, device, precision=precision)


def onnx_runtime(model, feeds):
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, feeds)


def command_line(*arguments):
    done = subprocess.run([sys.executable, "-m", "kawara.cli", *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False,
                          env={**os.environ, "COLUMNS": "140", "NO_COLOR": "1"})
    assert "Traceback" not in done.stderr, done.stderr
    return done


@both
@each
def test_a_product_errs_by_its_operands_rounding_and_no_more(model_file, device, precision):
    k = 96
    x, w = values(1, 7, k), values(2, k, 20)
    model = model_file([helper.make_node("MatMul", ["x", "w"], ["y"])], [("x", TensorProto.FLOAT, [7, k])], [("y", TensorProto.FLOAT, [7, 20])], [("w", w)])
    y = session_of(model, device, precision).run(None, {"x": x})[0]
    exact = x.astype(np.float64) @ w.astype(np.float64)
    sums = np.abs(x.astype(np.float64)) @ np.abs(w.astype(np.float64))
    u = U[precision]
    assert np.all(np.abs(y - exact) <= ((2 * u + u * u) + (k + 2) * U32 * (1 + u) ** 2) * sums)
    assert np.abs(y - exact).max() > 2 * (k + 2) * U32 * sums.max(), "something was rounded"


@both
@each
def test_layers_err_by_what_their_operands_roundings_add_up_to(model_file, device, precision):
    """Three layers of relu(h w + b): the bound follows each rounding through all of them."""
    widths, u = [64, 80, 48, 10], U[precision]
    weights = [values(10 + i, a, b) / np.float32(np.sqrt(a)) for i, (a, b) in enumerate(zip(widths, widths[1:]))]
    biases = [values(20 + i, b) for i, b in enumerate(widths[1:])]
    nodes, constants = [], []
    for i, (w, b) in enumerate(zip(weights, biases)):
        nodes += [helper.make_node("Gemm", ["x" if i == 0 else f"h{i - 1}", f"w{i}", f"b{i}"], [f"g{i}"]), helper.make_node("Relu", [f"g{i}"], [f"h{i}"])]
        constants += [(f"w{i}", w), (f"b{i}", b)]
    model = model_file(nodes, [("x", TensorProto.FLOAT, [5, 64])], [("h2", TensorProto.FLOAT, [5, 10])], constants)
    x = values(3, 5, 64)
    h, error = np.abs(x.astype(np.float64)), np.zeros((5, 64))
    actual = x.astype(np.float64)
    for w, b in zip(weights, biases):
        size = np.abs(w.astype(np.float64))
        read = error + u * (h + error)  # of the activations, as the product reads them
        error = read @ size * (1 + u) + h @ size * u + ((w.shape[0] + 3) * U32) * ((h + read) @ size * (1 + u) + np.abs(b))
        actual = np.maximum(actual @ w.astype(np.float64) + b, 0)
        h = np.abs(actual)
    y = session_of(model, device, precision).run(None, {"x": x})[0]
    expected = onnx_runtime(model, {"x": x})[0]
    assert np.all(np.abs(y - expected) <= error + 1e-5)
    assert np.abs(y - expected).max() > 1e-4, "something was rounded"


def _conv(op, weights, **attributes):
    return [helper.make_node(op, ["x", "w", "b"], ["c"], **attributes), helper.make_node("Relu", ["c"], ["y"])], weights


@both
@each
@pytest.mark.parametrize("op, weights, attributes, out", [
    ("Conv", (16, 8, 3, 3), {"pads": [1, 1, 1, 1]}, [1, 16, 14, 14]), ("Conv", (8, 1, 3, 3), {"group": 8, "strides": [2, 2], "pads": [1, 1, 1, 1]}, [1, 8, 7, 7]),
    ("Conv", (32, 8, 1, 1), {}, [1, 32, 14, 14]), ("ConvTranspose", (8, 12, 2, 2), {"strides": [2, 2]}, [1, 12, 28, 28])])
def test_a_convolution_is_what_casts_around_it_make_of_it(model_file, device, precision, op, weights, attributes, out):
    """The same model with Cast nodes, run by ONNX Runtime: only the order of sums is left to differ."""
    x, w, b = values(1, 1, 8, 14, 14), values(2, *weights), values(3, out[1])
    signature = ([("x", TensorProto.FLOAT, [1, 8, 14, 14])], [("y", TensorProto.FLOAT, out)], [("w", w), ("b", b)])
    plain = model_file([helper.make_node(op, ["x", "w", "b"], ["c"], **attributes), helper.make_node("Relu", ["c"], ["y"])], *signature, name="plain.onnx")
    casts = [helper.make_node("Cast", [name], [name + "n"], to=CODES[precision]) for name in "xw"] + \
            [helper.make_node("Cast", [name + "n"], [name + "f"], to=TensorProto.FLOAT) for name in "xw"]
    cast = model_file([*casts, helper.make_node(op, ["xf", "wf", "b"], ["c"], **attributes), helper.make_node("Relu", ["c"], ["y"])], *signature, name="cast.onnx")
    y = session_of(plain, device, precision).run(None, {"x": x})[0]
    np.testing.assert_allclose(y, onnx_runtime(cast, {"x": x})[0], rtol=1e-4, atol=1e-4)
    assert np.abs(y - onnx_runtime(plain, {"x": x})[0]).max() > 1e-3 * (1 if precision == "bf16" else 0.1), "something was rounded"


@both
def test_f32_is_the_default_and_stays_as_it_was(model_file, device):
    model = model_file([helper.make_node("MatMul", ["x", "w"], ["y"])], [("x", TensorProto.FLOAT, [4, 33])], [("y", TensorProto.FLOAT, [4, 9])], [("w", values(2, 33, 9))])
    x = values(1, 4, 33)
    np.testing.assert_array_equal(kawara.InferenceSession(model, device).run(None, {"x": x})[0], session_of(model, device, "f32").run(None, {"x": x})[0])
    assert kawara.compile(model).report_data()["precision"] == "f32"


@pytest.fixture
def product_model(model_file):
    """y = relu(x w), float32 [4, 64] by a constant [64, 64]."""
    return model_file([helper.make_node("MatMul", ["x", "w"], ["m"], name="multiply"), helper.make_node("Relu", ["m"], ["y"])],
                      [("x", TensorProto.FLOAT, [4, 64])], [("y", TensorProto.FLOAT, [4, 64])], [("w", values(5, 64, 64))])


@each
def test_weights_take_half_and_the_report_says_so(product_model, precision):
    program, wide = kawara.compile(product_model, precision=precision), kawara.compile(product_model)
    report = program.report_data()
    assert report["precision"] == precision and wide.report_data()["precision"] == "f32"
    assert report["weights_bytes"] == 64 * 64 * 2 and report["weights_in_f32_bytes"] == wide.report_data()["weights_bytes"] == 64 * 64 * 4
    lines = {" ".join(line.split()) for line in program.report().splitlines()}
    assert {f"precision {precision}", "weights 8.0 KiB", "weights in f32 16.0 KiB"} <= lines


@each
def test_a_program_keeps_its_precision_in_a_file_and_on_another_chip(product_model, tmp_path, precision):
    kawara.compile(product_model, precision=precision, target="k1").save(tmp_path / "m.kwr")
    x = values(1, 4, 64)
    with session_of(product_model, DEVICES[0], precision) as direct, kawara.InferenceSession(tmp_path / "m.kwr", DEVICES[0]) as relowered:
        np.testing.assert_array_equal(relowered.run(None, {"x": x})[0], direct.run(None, {"x": x})[0])
        assert relowered.program.report_data()["relowered_from"]["target"] == "k1"
        assert relowered.program.report_data()["precision"] == precision
    for give in (tmp_path / "m.kwr", kawara.Program.load(tmp_path / "m.kwr")):
        with pytest.raises(kawara.Error, match="has the precision that it was compiled with"):
            kawara.InferenceSession(give, DEVICES[0], precision=precision)


def test_the_cache_keeps_each_precision(product_model, tmp_path, monkeypatch):
    monkeypatch.setenv("KAWARA_CACHE", str(tmp_path / "cache"))
    x = values(1, 4, 64)
    outputs = {}
    for precision in ("f32", "bf16", "f16", "f32", "bf16", "f16"):
        with session_of(product_model, DEVICES[0], precision) as session:
            y = session.run(None, {"x": x})[0]
            np.testing.assert_array_equal(y, outputs.setdefault(precision, y))
            assert session.program.report_data()["precision"] == precision
    assert len(list((tmp_path / "cache" / "programs").glob("*.kwr"))) == 3
    assert not np.array_equal(outputs["f32"], outputs["bf16"]) and not np.array_equal(outputs["bf16"], outputs["f16"])


def test_a_weight_that_f16_cannot_hold_is_named_with_what_to_do(model_file):
    weights = np.array([[1, 2], [7e4, 3]], np.float32)
    model = model_file([helper.make_node("MatMul", ["x", "scales"], ["y"], name="fc")], [("x", TensorProto.FLOAT, [1, 2])], [("y", TensorProto.FLOAT, [1, 2])], [("scales", weights)])
    with pytest.raises(kawara.Error) as caught:
        kawara.compile(model, precision="f16")
    error = caught.value
    assert error.code == "invalid_argument" and error.node == "fc"
    assert "'scales'" in error.message and "70000" in error.message and "bf16" in error.message and "f32" in error.message
    assert kawara.compile(model, precision="bf16").report_data()["precision"] == "bf16"


def test_another_precision_is_refused(product_model):
    for precision in ("i8", "f8e4m3", "half", ""):
        with pytest.raises(kawara.Error) as caught:
            kawara.compile(product_model, precision=precision)
        assert caught.value.code == "invalid_argument" and "precision must be f32, bf16 or f16" in caught.value.message


def test_explain_and_compile_say_what_products_read(product_model, tmp_path):
    out = command_line("explain", product_model, "--precision", "bf16").stdout
    assert "gemm on the matrix engine, bf16" in out
    assert "bf16" not in command_line("explain", product_model).stdout
    done = command_line("compile", product_model, "--precision", "f16", "-o", tmp_path / "m.kwr")
    assert done.returncode == 0 and "not measured here" in done.stdout and "kawara compare" in done.stdout
    assert command_line("run", product_model, "--precision", "bf16", "--device", DEVICES[0]).returncode == 0
    assert "kawara compare" in command_line("run", product_model, "--precision", "bf16", "--check").stderr
    assert command_line("profile", product_model, "--precision", "bf16").returncode == 0
    assert "has the precision" in command_line("profile", tmp_path / "m.kwr", "--precision", "bf16").stderr


@both
def test_what_a_precision_costs_is_measured(product_model, device):
    x = values(1, 4, 64)
    rows = {precision: kawara.precision_error(product_model, precision, feeds={"x": x}, device=device) for precision in ("f32", "bf16", "f16")}
    assert rows["f32"]["outputs"][0]["max_abs"] == 0 and rows["f32"]["outputs"][0]["same_argmax"] == 1
    wide = session_of(product_model, device, "f32").run(None, {"x": x})[0].astype(np.float64)
    for precision, u in U.items():
        row, got = rows[precision]["outputs"][0], session_of(product_model, device, precision).run(None, {"x": x})[0]
        assert row["max_abs"] == np.abs(got - wide).max() and row["magnitude"] == np.abs(wide).max() and row["elements"] == 256
        assert 0 < row["rms_share"] < 2 * u and row["max_share"] == row["max_abs"] / row["magnitude"] and row["not_finite"] == 0
        assert rows[precision]["weights_bytes"] * 2 == rows[precision]["weights_in_f32_bytes"]
    assert rows["f16"]["outputs"][0]["max_abs"] < rows["bf16"]["outputs"][0]["max_abs"]
    assert rows["f16"]["seeded"] == [] and kawara.precision_error(product_model, "f16", device=device)["seeded"] == ["x"]


def test_what_leaves_the_range_of_f16_is_told(model_file):
    model = model_file([helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("MatMul", ["h", "v"], ["y"])],
                       [("x", TensorProto.FLOAT, [2, 4])], [("y", TensorProto.FLOAT, [2, 3])], [("w", np.full((4, 4), 300, np.float32)), ("v", np.ones((4, 3), np.float32))])
    feeds = {"x": np.array([[200, 200, 0, 0], [1, 1, 1, 1]], np.float32)}
    lost = kawara.precision_error(model, "f16", feeds=feeds, device=DEVICES[0])["outputs"][0]
    assert lost["not_finite"] == 3 and lost["max_abs"] == np.inf
    assert kawara.precision_error(model, "bf16", feeds=feeds, device=DEVICES[0])["outputs"][0]["not_finite"] == 0


def test_the_compare_command(product_model, tmp_path):
    np.save(tmp_path / "x.npy", values(1, 4, 64))
    done = command_line("compare", product_model, "--input", f"x={tmp_path / 'x.npy'}", "--device", DEVICES[0])
    assert done.returncode == 0, done.stderr
    for words in ("bf16", "f16", "16.0 KiB → 8.0 KiB", "cycles by the chip's cost model", "all inputs were given", "Other inputs may cost more"):
        assert words in done.stdout, done.stdout
    rows = json.loads(command_line("compare", product_model, "--precision", "f16", "--device", DEVICES[0], "--json").stdout)
    assert [row["precision"] for row in rows] == ["f16"] and rows[0]["outputs"][0]["max_abs"] > 0 and rows[0]["seeded"] == ["x"]
