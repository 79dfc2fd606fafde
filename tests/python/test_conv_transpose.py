# SPDX-License-Identifier: Apache-2.0
"""ConvTranspose gives ONNX Runtime's results in every form that ONNX defines."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import kawara

RNG = np.random.default_rng(12)

# name: (shape of the input, shape of the weights, attributes)
FORMS = {
    "plain": ((2, 3, 5, 4), (3, 4, 3, 2), {}),
    "strides": ((1, 2, 4, 5), (2, 3, 2, 2), {"strides": [2, 2]}),
    "strides beyond the kernel": ((1, 2, 4, 5), (2, 3, 2, 3), {"strides": [3, 5]}),
    "pads on each side": ((1, 2, 6, 5), (2, 3, 4, 3), {"strides": [2, 1], "pads": [1, 0, 2, 1]}),
    "dilations": ((1, 2, 5, 5), (2, 3, 3, 2), {"dilations": [2, 3], "strides": [1, 2]}),
    "groups": ((2, 6, 4, 5), (6, 2, 3, 3), {"group": 3, "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    "a group a channel": ((1, 4, 5, 5), (4, 1, 4, 4), {"group": 4, "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    "output padding": ((1, 2, 4, 4), (2, 2, 3, 3), {"strides": [3, 2], "output_padding": [2, 1], "pads": [1, 1, 1, 1]}),
    "output shape": ((1, 2, 4, 4), (2, 2, 3, 3), {"strides": [3, 2], "output_shape": [10, 8]}),
    "output shape, odd pads": ((1, 2, 4, 4), (2, 2, 3, 3), {"strides": [3, 2], "output_shape": [9, 8]}),
    "output shape, more above": ((1, 2, 4, 4), (2, 2, 3, 3), {"strides": [3, 2], "output_shape": [9, 8], "auto_pad": "SAME_LOWER"}),
    "output shape, more below": ((1, 2, 4, 4), (2, 2, 3, 3), {"strides": [3, 2], "output_shape": [9, 8], "auto_pad": "SAME_UPPER"}),
    "same upper": ((1, 2, 4, 5), (2, 2, 3, 4), {"strides": [2, 3], "auto_pad": "SAME_UPPER"}),
    "same lower": ((1, 2, 4, 5), (2, 2, 3, 4), {"strides": [2, 3], "auto_pad": "SAME_LOWER"}),
    "valid": ((1, 2, 4, 5), (2, 2, 3, 4), {"strides": [2, 3], "auto_pad": "VALID"}),
    "one dimension": ((2, 3, 9), (3, 2, 4), {"strides": [2], "pads": [1, 2], "dilations": [2]}),
    "three dimensions": ((1, 2, 3, 4, 3), (2, 3, 2, 3, 2), {"strides": [2, 1, 2], "pads": [0, 1, 0, 1, 0, 1]}),
}


def write(folder, shape, weights, attributes, bias, opset=17):
    constants = [onnx.numpy_helper.from_array(RNG.standard_normal(weights).astype(np.float32), "w")]
    if bias:
        constants.append(onnx.numpy_helper.from_array(RNG.standard_normal(bias).astype(np.float32), "b"))
    node = helper.make_node("ConvTranspose", ["x", *(constant.name for constant in constants)], ["y"], name="up", **attributes)
    graph = helper.make_graph([node], "up", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], constants)
    path = str(folder / "up.onnx")
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)
    return path


@pytest.mark.parametrize("device", ["emulator:reference", "emulator:vulkan"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_result_of_onnx_runtime(form, device, tmp_path):
    shape, weights, attributes = FORMS[form]
    path = write(tmp_path, shape, weights, attributes, bias=weights[1] * attributes.get("group", 1))
    x = RNG.standard_normal(shape).astype(np.float32)
    (expected,) = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": x})
    session = kawara.InferenceSession(path, device)
    (y,) = session.run(None, {"x": x})
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)
    by_engine = session.program.report_data()["commands_by_engine"]
    assert by_engine["matrix"] == 1 and by_engine.get("vector", 0) == 0


@pytest.mark.parametrize("weights, attributes, bias, rule", [
    ((3, 2, 3, 3), {}, None, "the weights' 3 input channels must be the input's 2"),
    ((2, 2, 3, 3), {"group": 3}, None, "2 input channels must divide into 3 groups"),
    ((2, 2, 3, 3), {}, 3, "the bias must have one element for each output channel"),
    ((2, 2, 3, 3), {"kernel_shape": [3, 2]}, None, "kernel_shape must be the weights'"),
    ((2, 2, 3, 3), {"strides": [0, 1]}, None, "strides and dilations must be within 1 and 65535"),
    ((2, 2, 3, 3), {"pads": [-1, 0, 0, 0]}, None, "pads and output_padding must be within 0 and 2.24"),
    ((2, 2, 3, 3), {"pads": [3, 0, 3, 0]}, None, "dimension 2 of the output must be within 1 and 2.24, it is 0"),
    ((2, 2, 3, 3), {"output_shape": [4]}, None, "output_shape must have 2 values, got 1"),
    ((2, 2, 3, 3), {"auto_pad": "SAME"}, None, "auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER, got SAME"),
    ((2, 2, 3), {}, None, "the weights' rank must be the input's, 4, and at least 3"),
])
def test_what_it_refuses(weights, attributes, bias, rule, tmp_path):
    with pytest.raises(kawara.Error, match=rule) as caught:
        kawara.compile(write(tmp_path, (1, 2, 4, 4), weights, attributes, bias))
    assert caught.value.code == "unsupported" and "'up'" in str(caught.value)
