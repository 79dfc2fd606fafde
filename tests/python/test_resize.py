# SPDX-License-Identifier: Apache-2.0
"""Resize gives ONNX Runtime's results in every mode: many nodes stand in one model, on one input each."""

import itertools

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import kawara

RNG = np.random.default_rng(11)
POSITIONS = ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"]
ROUNDINGS = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]
SCALES = [(2, 2), (3, 0.5), (0.6, 0.4), (1.5, 2.5), (1, 2.3), (0.3, 1)]
SIZES = [(10, 14), (1, 1), (3, 9), (8, 5), (5, 7)]
TYPES = {np.float32: TensorProto.FLOAT, np.uint8: TensorProto.UINT8, np.int64: TensorProto.INT64}


class Model:
    """Resize nodes that are all to be right. Their parameters are constants of the model."""

    def __init__(self, shape=(2, 3, 5, 7), dtype=np.float32, opset=19):
        self.x = (RNG.standard_normal(shape) * 50).astype(dtype)
        self.opset, self.nodes, self.constants, self.cases = opset, [], [], []

    def add(self, scales=None, sizes=None, roi=None, **attributes):
        number = len(self.nodes)
        inputs = ["x"]
        parameters = [scales] if self.opset < 11 else [() if self.opset == 11 and roi is None else roi, scales, sizes]  # 11 asks for it
        for name, value, dtype in zip("srz" if self.opset < 11 else "rsz", parameters, (np.float32, np.float32, np.int64)):
            if value is not None:
                self.constants.append(onnx.numpy_helper.from_array(np.array(value, dtype), f"{name}{number}"))
            inputs.append("" if value is None else f"{name}{number}")
        while not inputs[-1]:
            inputs.pop()
        self.nodes.append(helper.make_node("Resize", inputs, [f"y{number}"], name=f"resize{number}", **attributes))
        self.cases.append((scales, sizes, attributes))

    def write(self, folder):
        dtype = TYPES[self.x.dtype.type]
        graph = helper.make_graph(self.nodes, "resizes", [helper.make_tensor_value_info("x", dtype, self.x.shape)],
                                  [helper.make_tensor_value_info(node.output[0], dtype, None) for node in self.nodes], self.constants)
        path = str(folder / "resizes.onnx")
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8), path)
        return path

    def check(self, tmp_path, device="emulator:reference", atol=2e-6):
        path = self.write(tmp_path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        expected = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, {"x": self.x})
        session = kawara.InferenceSession(path, device)
        for case, output, want in zip(self.cases, session.run(None, {"x": self.x}), expected, strict=True):
            assert output.shape == want.shape, case
            np.testing.assert_allclose(output, want, rtol=1e-5, atol=atol * np.abs(self.x).max(), err_msg=str(case))


def fill(model, **attributes):
    """All positions by all scales and sizes, over the last two dimensions."""
    for positions in POSITIONS:
        for scales in SCALES:
            model.add(scales=(1, 1, *scales), coordinate_transformation_mode=positions, **attributes)
        for sizes in SIZES:
            model.add(sizes=(*model.x.shape[:2], *sizes), coordinate_transformation_mode=positions, **attributes)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_nearest_takes_the_elements_that_onnx_runtime_takes(rounding, tmp_path):
    model = Model()
    fill(model, mode="nearest", nearest_mode=rounding)
    model.check(tmp_path, atol=0)


@pytest.mark.parametrize("device", ["emulator:reference", "emulator:vulkan"])
@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_linear_and_cubic_weigh_as_onnx_runtime_does(mode, device, tmp_path):
    model = Model(shape=(1, 2, 5, 7))
    fill(model, mode=mode)
    model.check(tmp_path, device)


def test_cubic_may_have_another_coefficient_and_leave_out_what_lies_outside(tmp_path):
    model = Model()
    fill(model, mode="cubic", cubic_coeff_a=-0.5, exclude_outside=1)
    model.check(tmp_path)


@pytest.mark.parametrize("exclude", [0, 1])
@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_antialiased_kernels_are_as_wide_as_the_results_elements(mode, exclude, tmp_path):
    model = Model(shape=(1, 2, 16, 21))
    for scales in [(0.5, 0.5), (0.6, 0.25), (2, 0.4), (1, 0.3)]:
        model.add(scales=(1, 1, *scales), mode=mode, antialias=1, exclude_outside=exclude)
    for sizes in [(4, 5), (9, 30), (16, 20)]:
        model.add(sizes=(1, 2, *sizes), mode=mode, antialias=1, exclude_outside=exclude)
    model.check(tmp_path)


@pytest.mark.parametrize("device", ["emulator:reference", "emulator:vulkan"])
def test_a_crop_has_the_extrapolation_value_outside(device, tmp_path):
    model = Model()
    for mode in ("nearest", "linear", "cubic"):
        for roi in [(0, 0, 0.2, 0.3, 1, 1, 0.7, 0.6), (0, 0, 0.6, -0.4, 1, 1, 1.3, 0.9), (0, 0, 0.9, 0.1, 1, 1, 0.2, 0.8)]:
            for sizes in [(2, 3, 4, 6), (2, 3, 1, 9)]:
                model.add(sizes=sizes, roi=roi, mode=mode, coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=12.5)
    model.add(sizes=(2, 3, 4, 6), roi=(0, 0, 0.6, -0.4, 1, 1, 1.3, 0.9), mode="cubic", exclude_outside=1,
              coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=12.5)
    model.check(tmp_path, device)


def test_axes_name_the_dimensions_and_a_policy_keeps_their_ratio(tmp_path):
    model = Model()
    for policy, sizes in itertools.product(("not_larger", "not_smaller"), [(9, 9), (3, 20), (4, 3)]):
        model.add(sizes=sizes, axes=[2, 3], mode="linear", keep_aspect_ratio_policy=policy)
        model.add(sizes=sizes[::-1], axes=[3, 2], mode="nearest", keep_aspect_ratio_policy=policy)
    model.add(scales=(2, 1.5), axes=[-1, -2], mode="nearest")
    model.check(tmp_path)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_nearest_moves_elements_of_any_type(dtype, tmp_path):
    if dtype == np.uint8:
        model = Model(dtype=dtype)
        fill(model, mode="nearest")
        model.check(tmp_path, atol=0)
        return
    # ONNX Runtime has no nearest of i64: a whole multiple repeats elements.
    x = RNG.integers(-2**60, 2**60, (1, 2, 3, 4))
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    graph = helper.make_graph([node], "repeat", [helper.make_tensor_value_info("x", TensorProto.INT64, x.shape)],
                              [helper.make_tensor_value_info("y", TensorProto.INT64, None)], [onnx.numpy_helper.from_array(np.float32([1, 1, 2, 3]), "s")])
    path = str(tmp_path / "repeat.onnx")
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    (y,) = kawara.InferenceSession(path, "emulator:reference").run(None, {"x": x})
    np.testing.assert_array_equal(y, x.repeat(2, 2).repeat(3, 3))


@pytest.mark.parametrize("shape, scales", [((2, 3, 7), (1, 1, 1.7)), ((4, 6), (2, 0.5)), ((1, 2, 3, 4, 5), (1, 1, 2, 1.5, 0.6))])
def test_other_ranks(shape, scales, tmp_path):
    model = Model(shape)
    for mode in ("nearest", "linear"):
        model.add(scales=scales, mode=mode)
        model.add(scales=scales, mode=mode, coordinate_transformation_mode="align_corners")
    model.check(tmp_path)


@pytest.mark.parametrize("opset", [10, 11, 13, 18])
def test_older_versions(opset, tmp_path):
    model = Model(opset=opset)
    for mode, scales in itertools.product(("nearest", "linear"), SCALES):
        model.add(scales=(1, 1, *scales), mode=mode)
    if opset == 11:
        for scales in SCALES:
            model.add(scales=(1, 1, *scales), mode="nearest", coordinate_transformation_mode="tf_half_pixel_for_nn")
    model.check(tmp_path)


@pytest.mark.parametrize("attributes, inputs, rule", [
    ({"mode": "lanczos"}, {"scales": (1, 1, 2, 2)}, "mode must be one of nearest, linear, cubic, got lanczos"),
    ({}, {"scales": (2, 2, 2, 2)}, "at most 3 dimensions may be resized, got 4"),
    ({}, {"scales": (1, 1, 2)}, "3 scales are given for 4 axes"),
    ({}, {"scales": (1, 1, 2, -1)}, "scales must be above 0"),
    ({}, {"scales": (1, 1, 2, np.inf)}, "must be finite"),
    ({}, {}, "either scales or sizes must be given"),
    ({"antialias": 1}, {"scales": (1, 1, 2, 2)}, "antialias needs the mode linear or cubic"),
])
def test_what_it_refuses(attributes, inputs, rule, tmp_path):
    model = Model()
    model.add(**inputs, **attributes)
    with pytest.raises(kawara.Error, match=rule) as caught:
        kawara.compile(model.write(tmp_path))
    assert caught.value.code == "unsupported" and "resize0" in str(caught.value)
