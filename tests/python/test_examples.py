# SPDX-License-Identifier: Apache-2.0
"""The examples do what they say."""

import subprocess
import sys

import numpy as np
from conftest import ROOT
from onnx import TensorProto, helper

RUN_MODEL = ROOT / "build" / "release" / "bin" / "run_model"


def test_the_demo_reads_the_words_that_it_drew(fetched):
    done = subprocess.run([sys.executable, ROOT / "tests" / "examples" / "read_words.py", "--model", fetched("ppocr4_rec"), "--", "Read", "me", "2026"],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    read = next(line.split(None, 1)[1] for line in done.stdout.splitlines() if line.split()[:1] == ["read"])
    assert read.strip() == "Read me 2026"
    assert "emulator:vulkan" in done.stdout and "equal" in done.stdout


def test_the_c_plus_plus_example_runs_a_model(model_file):
    path = model_file([helper.make_node("Mul", ["x", "two"], ["y"])], [("x", TensorProto.FLOAT, [2, 3])], [("y", TensorProto.FLOAT, [2, 3])],
                      [("two", np.float32(2))])
    done = subprocess.run([RUN_MODEL, path, "emulator:reference"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "y: 6 values, the first is 2\n"


def test_the_c_plus_plus_example_shows_errors(tmp_path):
    done = subprocess.run([RUN_MODEL, tmp_path / "absent.onnx"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.startswith("error not_found: ") and "remedy" in done.stderr
