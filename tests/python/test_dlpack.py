# SPDX-License-Identifier: Apache-2.0
"""DLPack in and out: inputs of any library that speaks it, outputs for any, over the same memory."""

import numpy as np
import pytest

import kawara

DEVICE = "emulator:reference"
X = np.array([[-1, 0, 2, 3]], np.float32)


class Foreign:
    """A tensor of some other library: no array, only what DLPack asks for."""

    def __init__(self, array, device=(1, 0)):
        self._array, self._device = array, device

    def __dlpack__(self, **how):
        return self._array.__dlpack__(**how)

    def __dlpack_device__(self):
        return self._device


class Old(Foreign):
    """Of a library that knows DLPack's first version alone."""

    def __dlpack__(self, stream=None):
        return self._array.__dlpack__()


class Refusing(Foreign):
    def __dlpack__(self, **how):
        raise BufferError("this tensor requires grad")


@pytest.fixture
def session(relu_model):
    return kawara.InferenceSession(relu_model, DEVICE, shapes={"x": (1, 4)})


@pytest.mark.parametrize("kind", [Foreign, Old])
def test_an_input_may_be_any_tensor_of_the_hosts_memory(session, kind):
    np.testing.assert_array_equal(session.run(None, {"x": kind(X)})[0], np.maximum(X, 0))
    np.testing.assert_array_equal(session.run_async(None, {"x": kind(X)}).result(30)[0], np.maximum(X, 0))


def test_a_tensor_that_is_not_dense_is_an_input_all_the_same(session):
    wide = np.arange(8, dtype=np.float32).reshape(1, 8) - 3
    np.testing.assert_array_equal(session.run(None, {"x": Foreign(wide[:, ::2])})[0], np.maximum(wide[:, ::2], 0))


@pytest.mark.parametrize("device, name", [((2, 0), "CUDA"), ((10, 1), "ROCm"), ((99, 0), "unknown")])
def test_a_tensor_elsewhere_is_refused_with_its_place(session, device, name):
    with pytest.raises(kawara.Error, match=f"input 'x'.*device {device[0]} .{name}") as caught:
        session.run(None, {"x": Foreign(X, device)})
    assert caught.value.code == "wrong_input" and ".cpu()" in caught.value.remedy
    with pytest.raises(kawara.Error, match="output 'y'"):
        session.bind(outputs={"y": Foreign(X, device)})


def test_a_tensor_that_its_library_does_not_give_is_refused_with_the_librarys_reason(session):
    with pytest.raises(kawara.Error, match="input 'x'.*Refusing.*requires grad") as caught:
        session.run(None, {"x": Refusing(X)})
    assert caught.value.code == "wrong_input"


def test_its_type_and_shape_are_held_to_the_models(session):
    with pytest.raises(kawara.Error, match="'x' must be f32, got i32"):
        session.run(None, {"x": Foreign(X.astype(np.int32))})
    with pytest.raises(kawara.Error, match="'x' must have shape"):
        session.run(None, {"x": Foreign(X[0])})


def test_bound_tensors_are_read_and_filled_in_their_librarys_memory(session):
    x, y = X.copy(), np.zeros((1, 4), np.float32)
    binding = session.bind({"x": Foreign(x)}, {"y": Foreign(y)})
    for scale in (1, 2):
        x[:] = X * scale
        binding.run()
        np.testing.assert_array_equal(y, np.maximum(X * scale, 0))


def test_a_tensor_that_may_not_be_written_is_no_place_for_an_output(session):
    constant = np.zeros((1, 4), np.float32)
    constant.flags.writeable = False
    with pytest.raises(kawara.Error, match="output 'y'.*read-only"):
        session.bind(outputs={"y": Foreign(constant)})


def test_outputs_go_to_other_libraries_over_the_same_memory(session):
    (y,) = session.run(None, {"x": X})
    assert y.__dlpack_device__() == (1, 0) and y.flags.writeable
    taken = np.from_dlpack(Foreign(y))
    assert np.shares_memory(taken, y)
    del y
    np.testing.assert_array_equal(taken, np.maximum(X, 0))


def test_a_bindings_places_go_to_other_libraries_over_the_same_memory(session):
    binding = session.bind()
    x, y = (np.from_dlpack(Foreign(array)) for array in (binding.inputs["x"], binding.outputs["y"]))
    x[:] = X  # writes where the chip reads
    binding.run()
    np.testing.assert_array_equal(y, np.maximum(X, 0))
    del binding, x
    np.testing.assert_array_equal(y, np.maximum(X, 0))
