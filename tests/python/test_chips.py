# SPDX-License-Identifier: Apache-2.0
"""Several emulated chips in one process give right answers at the same time."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import kawara


@pytest.mark.parametrize("names", [("emulator", "emulator:1"), ("emulator:reference", "emulator:reference,1"),
                                   ("emulator:config=k1-mini", "emulator:config=k1-mini,1"),
                                   ("emulator", "emulator:reference,config=k1-mini", "emulator:1,config=k1-mini")])
def test_chips_compute_at_the_same_time(relu_model, names):
    sessions = [kawara.InferenceSession(relu_model, name, shapes={"x": (2, 4)}) for name in names]
    assert len({session.device for session in sessions}) == len(names)

    def work(place):
        generator = np.random.default_rng(place)
        for _ in range(20):
            x = generator.integers(-9, 9, (2, 4)).astype(np.float32)
            np.testing.assert_array_equal(sessions[place].run(None, {"x": x})[0], np.maximum(x, 0))
        return True

    with ThreadPoolExecutor(len(names)) as pool:
        assert all(pool.map(work, range(len(names))))
