# SPDX-License-Identifier: Apache-2.0
"""Files that nobody meant to give: each ends in one clear error, soon and with little memory."""

import os
import resource
import subprocess
import sys
import time

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import kawara

MEMORY = 4 << 30  # of addresses: far more than a small model takes, far less than an absurd one asks for


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def refused(*arguments, seconds=60):
    """stderr of a command line that fails with status 1, under a limit of memory and time."""
    if arguments[0] == "run":
        arguments += ("--device", "emulator:reference,config=k1-mini")  # whose local memory fits the limit
    done = subprocess.run([sys.executable, "-m", "kawara.cli", *map(os.fsencode, arguments)], capture_output=True, timeout=seconds,
                          preexec_fn=limited, check=False, env={**os.environ, "COLUMNS": "120", "NO_COLOR": "1"})
    text = done.stderr.decode()
    assert done.returncode == 1, (done.returncode, text)
    assert "Traceback" not in text and text.startswith("error "), text
    return text


def code_of(path):
    with pytest.raises(kawara.Error) as caught:
        kawara.InferenceSession(str(path), "emulator:reference")
    return caught.value.code


@pytest.mark.parametrize("suffix, code", [(".onnx", "invalid_model"), (".kwr", "invalid_program")])
def test_an_empty_file(tmp_path, suffix, code):
    path = tmp_path / ("empty" + suffix)
    path.touch()
    assert code_of(path) == code
    assert code in refused("inspect", path)


@pytest.mark.parametrize("suffix", [".onnx", ".kwr"])
def test_what_is_no_file(tmp_path, suffix):
    folder, pipe, zeros = tmp_path / ("folder" + suffix), tmp_path / ("pipe" + suffix), tmp_path / ("zeros" + suffix)
    folder.mkdir()
    os.mkfifo(pipe)
    zeros.symlink_to("/dev/zero")
    for path in (folder, pipe, zeros):
        assert code_of(path) == "io_failed"
        assert path.name in refused("run", path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
@pytest.mark.parametrize("suffix", [".onnx", ".kwr"])
def test_a_file_that_may_not_be_read(tmp_path, suffix):
    path = tmp_path / ("secret" + suffix)
    path.write_bytes(b"x")
    path.chmod(0)
    assert code_of(path) == "io_failed"
    assert "Permission denied" in refused("run", path)


def test_a_path_that_is_no_text(tmp_path):
    assert "ff.onnx" in refused("run", os.fsencode(tmp_path) + b"/\xff.onnx")


def test_every_truncation_of_a_program(relu_model, tmp_path):
    program = kawara.compile(relu_model, shapes={"x": (1, 4)})
    whole = tmp_path / "whole.kwr"
    program.save(str(whole))
    data, cut = whole.read_bytes(), tmp_path / "cut.kwr"
    for size in range(0, len(data), 61):
        cut.write_bytes(data[:size])
        assert code_of(cut) == "invalid_program", size


@pytest.mark.parametrize("shape", [[2**20, 2**21], [2**40 + 1], [2**62, 2**62], [2**32, 2**32, 0], [2**63 - 1, 3]])
def test_absurd_dimensions(model_file, shape):
    path = model_file([helper.make_node("Relu", ["x"], ["y"])], [("x", TensorProto.FLOAT, shape)], [("y", TensorProto.FLOAT, shape)])
    message = refused("run", path)
    assert "2^40" in message or "the model needs" in message, message


def test_a_tensor_that_the_chip_has_no_memory_for(model_file):
    shape = [2**27]  # below every limit of a command; 512 MiB for each of x and y, and k1-mini has 256
    path = model_file([helper.make_node("Relu", ["x"], ["y"])], [("x", TensorProto.FLOAT, shape)], [("y", TensorProto.FLOAT, shape)])
    assert "out_of_memory" in refused("compile", path, "--target", "k1-mini", "-o", path + ".kwr")


def test_a_negative_dimension(model_file):
    path = model_file([helper.make_node("Relu", ["x"], ["y"])], [("x", TensorProto.FLOAT, [-7, 2])], [("y", TensorProto.FLOAT, None)])
    assert "invalid_model" in refused("run", path)


def test_a_folded_constant_of_absurd_size(model_file):
    shape = np.array([2**13, 2**13, 2**13], np.int64)
    path = model_file([helper.make_node("ConstantOfShape", ["s"], ["c"]), helper.make_node("Add", ["x", "c"], ["y"])],
                      [("x", TensorProto.FLOAT, [1])], [("y", TensorProto.FLOAT, [None, None, None])], [("s", shape)])
    refused("run", path)


def test_a_chain_of_many_nodes_compiles_in_bounded_time(tmp_path):
    """Time goes with the nodes, not with their square, and no depth of the graph is a depth of the stack."""

    def seconds(count):
        nodes = [helper.make_node("Relu" if i % 17 else "Softmax", [f"v{i}"], [f"v{i + 1}"]) for i in range(count)]
        graph = helper.make_graph(nodes, "chain", [helper.make_tensor_value_info("v0", TensorProto.FLOAT, [1, 4])],
                                  [helper.make_tensor_value_info(f"v{count}", TensorProto.FLOAT, [1, 4])])
        path = tmp_path / f"chain{count}.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
        begin = time.process_time()
        kawara.compile(str(path))
        return time.process_time() - begin

    # Six times the nodes: the square would be 36 times the time; caches that the larger one leaves make 12 of the 6.
    small, large = min(seconds(20_000) for _ in range(3)), seconds(120_000)
    assert large < 24 * small, (small, large)


def test_names_that_command_a_terminal_are_written_out(model_file):
    path = model_file([helper.make_node("Einsum", ["x"], ["y"], name="\x1b[2J\x07\u202eevil", equation="i->i")],
                      [("x", TensorProto.FLOAT, [2])], [("y", TensorProto.FLOAT, [2])])
    for message in (refused("run", path), subprocess.run([sys.executable, "-m", "kawara.cli", "explain", path], capture_output=True, text=True,
                                                         timeout=60, check=False).stdout):
        assert "\\x1b[2J" in message and "\x1b" not in message and "\u202e" not in message
