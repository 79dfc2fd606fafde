# SPDX-License-Identifier: Apache-2.0
"""A compiled model gives the same bits in whatever order its waits allow: a wait that the compiler forgot shows here."""

import numpy as np
import pytest

import kawara
from conftest import MODELS

SLOW = {"vit_s_focus", "ddddocr_det", "light_resnet50"}  # seconds a run: --run-slow
CASES = [(name, which) for name, entry in MODELS.items() if entry["first"] for which in ("inputs", "inputs_alt") if which in entry]


def bits(program, device, feeds):
    with kawara.InferenceSession(program, device) as session:
        return [output.tobytes() for output in session.run(None, feeds)]


def expect_the_same_bits(path, feeds, seeds):
    program = kawara.compile(path, shapes={name: array.shape for name, array in feeds.items()})
    expected = bits(program, "emulator:reference", feeds)
    assert expected and all(expected)
    for seed in seeds:
        assert bits(program, f"emulator:reference,order={seed}", feeds) == expected, seed


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name, which in CASES if which == "inputs"])
def test_a_real_model_in_three_orders(name, fetched, feeds_of):
    expect_the_same_bits(fetched(name), feeds_of(name), range(3))


@pytest.mark.slow
@pytest.mark.parametrize("name, which", CASES)
def test_a_real_model_in_a_hundred_orders(name, which, fetched, feeds_of):
    expect_the_same_bits(fetched(name), feeds_of(name, which), range(100))


def test_a_device_says_which_seeds_it_takes(relu_model):
    session = kawara.InferenceSession(relu_model, "emulator:reference,config=k1-mini,order=5")
    assert session.device == "emulator:reference,config=k1-mini,order=5"
    np.testing.assert_array_equal(session.run(None, {"x": np.float32([[-1, 0, 1, 2]])})[0], [[0, 0, 1, 2]])
    for device in ("emulator:reference,order=soon", "emulator:order=5"):
        with pytest.raises(kawara.Error, match="order=") as caught:
            kawara.InferenceSession(relu_model, device)
        assert caught.value.code == "invalid_argument"
