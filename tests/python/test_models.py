# SPDX-License-Identifier: Apache-2.0
"""Real models give ONNX Runtime's answers on both executors, wholly on the chip."""

import numpy as np
import onnxruntime
import pytest

import kawara
from conftest import MODELS

RELATIVE, ABSOLUTE = 1e-3, 1e-5


CASES = [(name, which) for name, entry in MODELS.items() if entry["first"] for which in ("inputs", "inputs_alt") if which in entry]
SLOW = {("vit_s_focus", "emulator:reference")}  # ten seconds a run and more: --run-slow


@pytest.mark.parametrize("name, which, device", [
    pytest.param(name, which, device, marks=[pytest.mark.slow] if (name, device) in SLOW else [])
    for device in ("emulator:reference", "emulator:vulkan") for name, which in CASES])
def test_a_real_model_gives_the_answer_of_onnx_runtime(name, which, device, fetched, feeds_of, record_property):
    path, feeds = fetched(name), feeds_of(name, which)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    expected = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, feeds)

    session = kawara.InferenceSession(path, device)
    outputs = session.run(None, feeds)
    again = session.run(None, feeds)

    for output, want, repeated in zip(outputs, expected, again):
        assert output.dtype == want.dtype and output.shape == want.shape
        record_property("max_abs_difference", float(np.abs(output - want).max()))
        np.testing.assert_allclose(output, want, rtol=RELATIVE, atol=ABSOLUTE)
        np.testing.assert_array_equal(output, repeated)  # the same job, the same bits
