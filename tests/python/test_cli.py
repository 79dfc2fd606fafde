# SPDX-License-Identifier: Apache-2.0
"""The command line: what it prints fits a screen and says what, where and what to do."""

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

SCREEN = 24  # lines


def kawara(*arguments):
    """Runs the command line; (exit status, stdout, stderr)."""
    done = subprocess.run([sys.executable, "-m", "kawara.cli", *map(str, arguments)], capture_output=True, text=True, timeout=300,
                          env={**__import__("os").environ, "COLUMNS": "120", "NO_COLOR": "1"})
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def refused(*arguments):
    """stderr of a command that must fail within a screen."""
    status, _, stderr = kawara(*arguments)
    assert status != 0 and 0 < len(stderr.splitlines()) <= SCREEN, stderr
    return stderr


def test_run_checks_against_onnx_runtime(relu_model):
    status, out, err = kawara("run", relu_model, "--shape", "x=2,4", "--device", "emulator:reference", "--check")
    assert status == 0, err
    assert "equal to ONNX Runtime" in out


def test_run_says_how_near_the_numbers_are(model_file):
    model = model_file([helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("Tanh", ["z"], ["t"])],
                                    [("x", TensorProto.FLOAT, [2, 24]), ("z", TensorProto.FLOAT, [3])],
                                    [("a", TensorProto.FLOAT, [2, 8]), ("t", TensorProto.FLOAT, [3])], [("w", np.ones((24, 8), np.float32))])
    status, out, err = kawara("run", model, "--device", "emulator:reference")
    assert status == 0, err
    line = next(line.strip() for line in out.splitlines() if "fidelity" in line)
    data = json.loads(kawara("run", model, "--device", "emulator:reference", "--json")[1])["fidelity"]
    assert data["bounded"] == data["device_dependent"] == 1 and data["depth_max"] == 24 and data["bound_ulp"] == 2.425
    assert line == f"fidelity: {data['exact']} commands exact, 1 by sequences within 2.425 ULP, 1 device-dependent in sums of up to 24 products"


def test_run_leaves_out_of_fidelity_what_a_program_does_not_have(relu_model):
    _, out, _ = kawara("run", relu_model, "--shape", "x=2,4", "--device", "emulator:reference")
    line = next(line.strip() for line in out.splitlines() if "fidelity" in line)
    assert line.endswith("exact") and "device-dependent" not in line and "ULP" not in line


def test_run_prints_json(relu_model, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[-1, 0, 1, 2]], np.float32))
    status, out, err = kawara("run", relu_model, "--input", f"x={tmp_path / 'x.npy'}", "--device", "emulator:reference", "--json", "--save", tmp_path / "out")
    assert status == 0, err
    assert json.loads(out)["outputs"][0]["max"] == 2
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "y.npy"), [[0, 0, 1, 2]])


def test_compile_inspect_and_run_a_program(relu_model, tmp_path):
    program = tmp_path / "relu.kwr"
    status, out, err = kawara("compile", relu_model, "--shape", "x=1,4", "-o", program)
    assert status == 0, err
    assert "relu.kwr" in out
    assert "tensor(float)" in kawara("inspect", program)[1]
    assert kawara("run", program, "--device", "emulator:reference")[0] == 0


def test_inspect_shows_what_a_program_holds(model_file, tmp_path):
    program = tmp_path / "m.kwr"
    path = model_file([helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("Mul", ["a", "two"], ["y"])],
                      [("x", TensorProto.FLOAT, [1, 64])], [("y", TensorProto.FLOAT, [1, 64])],
                      [("w", np.ones((64, 64), np.float32)), ("two", np.float32(2))])
    assert kawara("compile", path, "-o", program)[0] == 0
    status, out, _ = kawara("inspect", program)
    assert status == 0
    for words in ("compiled for k1, version 1 of the command set", "format 2", "weights   16.0 KiB", "constants 8 B", "input  x", "output y"):
        assert words in out, out
    info = json.loads(kawara("inspect", program, "--json")[1])
    assert info["portable"] and info["format_version"] == 2 and info["file_bytes"] == program.stat().st_size
    assert info["sections"]["weights"] == 64 * 64 * 4 and info["sections"]["constants"] == 8  # stored once; the number is in the commands


def test_run_says_that_a_program_was_lowered_again(relu_model, tmp_path):
    program = tmp_path / "relu.kwr"
    assert kawara("compile", relu_model, "--shape", "x=1,4", "--target", "k1", "-o", program)[0] == 0
    status, out, err = kawara("run", program, "--device", "emulator:reference,config=k1-mini")
    assert status == 0, err
    assert "re-lowered for this device from a program for k1, version 1" in out
    assert "re-lowered" not in kawara("run", program, "--device", "emulator:reference,config=k1")[1]


def test_inspect_and_explain_a_model(relu_model):
    status, out, _ = kawara("inspect", relu_model)
    assert status == 0 and "batch" in out and "Relu" in out
    status, out, _ = kawara("explain", relu_model, "--shape", "x=1,4")
    assert status == 0 and "rectify" in out and "vector" in out


def explained(path):
    status, out, err = kawara("explain", path, "--json")
    assert status == 0, err
    return {row["op"] if row["op"] != "Relu" else row["node"]: (row["command"], row["engine"], row["group"]) for row in json.loads(out)}


def test_explain_says_which_weights_a_normalisation_became_part_of(model_file):
    ones = np.ones(4, np.float32)
    path = model_file([helper.make_node("Conv", ["x", "w"], ["c"], name="conv"), helper.make_node("Relu", ["x"], ["u"], name="unused"),
                       helper.make_node("BatchNormalization", ["c", "s", "b", "m", "v"], ["n"], name="norm"),
                       helper.make_node("Identity", ["n"], ["i"], name="same"), helper.make_node("Relu", ["i"], ["y"], name="relu")],
                      [("x", TensorProto.FLOAT, [1, 3, 8, 8])], [("y", TensorProto.FLOAT, [1, 4, 6, 6])],
                      [("w", np.ones((4, 3, 3, 3), np.float32)), ("s", ones), ("b", ones), ("m", ones), ("v", ones)])
    conv = ("conv", "matrix", "conv")
    assert explained(path) == {"Conv": conv, "BatchNormalization": conv, "relu": conv,
                               "unused": ("removed", "", "unused"), "Identity": ("removed", "", "same")}
    out = kawara("explain", path)[1]
    assert [line.split() for line in out.splitlines() if line.strip().startswith("norm")][0][1:] == "BatchNormalization conv on the matrix engine conv".split()


def softmax_nodes():
    return [helper.make_node("ReduceMax", ["x"], ["m"], axes=[1], keepdims=1, name="max"), helper.make_node("Sub", ["x", "m"], ["s"], name="sub"),
            helper.make_node("Exp", ["s"], ["e"], name="exp"), helper.make_node("ReduceSum", ["e", "axes"], ["t"], keepdims=1, name="sum"),
            helper.make_node("Div", ["e", "t"], ["y"], name="div")]


def test_explain_says_which_pattern_a_node_is_part_of(model_file):
    axes = [("axes", np.array([1]))]
    path = model_file(softmax_nodes(), [("x", TensorProto.FLOAT, [2, 5])], [("y", TensorProto.FLOAT, [2, 5])], axes)
    one = ("vector", "vector", "div")
    assert explained(path) == dict.fromkeys(["ReduceMax", "Sub", "Exp", "ReduceSum", "Div"], one)


def test_explain_shows_the_command_that_a_part_of_a_pattern_still_has(model_file):
    path = model_file(softmax_nodes(), [("x", TensorProto.FLOAT, [2, 5])], [("y", TensorProto.FLOAT, [2, 5]), ("m", TensorProto.FLOAT, [2, 1])],
                      [("axes", np.array([1]))])
    rows = explained(path)
    assert rows["ReduceMax"] == ("vector", "vector", "max")
    assert {rows[op] for op in ("Sub", "Exp", "ReduceSum", "Div")} == {("vector", "vector", "div")}


def test_explain_says_which_layer_normalisation_a_node_is_part_of(model_file):
    path = model_file([helper.make_node("ReduceMean", ["x"], ["m"], axes=[-1], name="mean"), helper.make_node("Sub", ["x", "m"], ["d"], name="sub"),
                       helper.make_node("Pow", ["d", "two"], ["p"], name="pow"), helper.make_node("ReduceMean", ["p"], ["v"], axes=[-1], name="variance"),
                       helper.make_node("Add", ["v", "eps"], ["e"], name="add"), helper.make_node("Sqrt", ["e"], ["q"], name="sqrt"),
                       helper.make_node("Div", ["d", "q"], ["z"], name="div"), helper.make_node("Abs", ["g"], ["a"], name="abs"),
                       helper.make_node("Mul", ["z", "a"], ["y"], name="mul")],
                      [("x", TensorProto.FLOAT, [2, 8]), ("g", TensorProto.FLOAT, [8])], [("y", TensorProto.FLOAT, [2, 8])],
                      [("two", np.float32(2)), ("eps", np.float32(1e-5))])
    rows = {row["node"]: row["group"] for row in json.loads(kawara("explain", path, "--json")[1])}
    assert rows == {"abs": "abs"} | dict.fromkeys(["mean", "sub", "pow", "variance", "add", "sqrt", "div", "mul"], "mul")


def test_inspect_counts_constants_wherever_the_model_keeps_them(model_file):
    four = onnx.numpy_helper.from_array(np.float32([1, 2, 3, 4]))
    path = model_file([helper.make_node("Constant", [], ["c"], value=four), helper.make_node("Add", ["x", "c"], ["a"]), helper.make_node("Add", ["a", "d"], ["y"])],
                      [("x", TensorProto.FLOAT, [4])], [("y", TensorProto.FLOAT, [4])], [("d", np.float32([1, 2, 3, 4]))])
    assert json.loads(kawara("inspect", path, "--json")[1])["constant_bytes"] == 32


def test_devices_are_listed_as_a_table_and_as_json():
    assert "emulator" in kawara("devices")[1]
    assert any("emulator" in d["name"] for d in json.loads(kawara("devices", "--json")[1]))


def test_a_missing_file(tmp_path):
    assert "no file" in refused("run", tmp_path / "absent.onnx")


@pytest.mark.parametrize("keep", [0, 1, 10, 0.5, 0.99])
def test_a_truncated_file(relu_model, keep, tmp_path):
    data = open(relu_model, "rb").read()
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(data[:keep if isinstance(keep, int) else int(len(data) * keep)])
    message = refused("run", broken, "--shape", "x=1,4")
    assert "invalid_model" in message and "broken.onnx" in message


def test_a_file_of_zeros(tmp_path):
    zeros = tmp_path / "zeros.onnx"
    zeros.write_bytes(bytes(4096))
    message = refused("run", zeros)
    assert "invalid_model" in message and "zeros.onnx" in message


@pytest.mark.parametrize("content", [b"", b"KWR1", bytes(4096), b"\x10\0\0\0KWR1" + bytes(64)])
def test_a_broken_program(content, tmp_path):
    broken = tmp_path / "broken.kwr"
    broken.write_bytes(content)
    assert "invalid_program" in refused("run", broken)


def test_every_unsupported_node_in_one_message(model_file):
    path = model_file([helper.make_node("Einsum", ["x"], ["a"], name="first", equation="ij->ji"),
                       helper.make_node("FrobnicateTensor", ["a"], ["b"], name="second"),
                       helper.make_node("Relu", ["b"], ["y"])],
                      [("x", TensorProto.FLOAT, [2, 2])], [("y", TensorProto.FLOAT, [2, 2])])
    message = refused("run", path)
    for word in ("unsupported", "first", "Einsum", "second", "FrobnicateTensor", "explain"):
        assert word in message
    status, out, _ = kawara("explain", path)
    assert status == 1 and "first" in out and "second" in out


def test_a_wrong_input_name(relu_model):
    message = refused("run", relu_model, "--shape", "z=1,4")
    assert "'z'" in message and "'x'" in message


def test_a_wrong_dtype_and_a_wrong_shape(relu_model, tmp_path):
    np.save(tmp_path / "i.npy", np.zeros((1, 4), np.int64))
    assert "f32" in refused("run", relu_model, "--input", f"x={tmp_path / 'i.npy'}")
    np.save(tmp_path / "s.npy", np.zeros((1, 7), np.float32))
    assert "[batch, 4]" in refused("run", relu_model, "--input", f"x={tmp_path / 's.npy'}")


def test_an_open_dimension_without_a_shape(relu_model):
    message = refused("run", relu_model)
    assert "shape_required" in message and "batch" in message and "--shape x=" in message


def test_a_malformed_shape_and_an_unknown_flag(relu_model):
    assert "NAME=D1" in refused("run", relu_model, "--shape", "x:1")
    assert "No such option" in refused("run", relu_model, "--frobnicate")


def test_an_unknown_device(relu_model):
    assert "emulator" in refused("run", relu_model, "--shape", "x=1,4", "--device", "toaster")
