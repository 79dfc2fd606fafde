# SPDX-License-Identifier: Apache-2.0
"""Binding: fixed places for a model's inputs and outputs."""

from types import MappingProxyType

import numpy as np

from . import _kawara
from .dtypes import numpy_type
from .errors import Error
from .in_flight import Future, Runner


def _arrays(rows: list, given: "dict[str, np.ndarray]") -> "MappingProxyType[str, np.ndarray]":
    return MappingProxyType({name: given[name] if data is None else data.view(numpy_type(dtype)).reshape(shape)
                             for name, dtype, shape, data in rows})


class Binding:
    """Fixed places for a model's inputs and outputs, for many runs; made by `InferenceSession.bind`.

        binding = session.bind()
        binding.inputs["x"][:] = array
        binding.run()
        print(binding.outputs["y"])

    Attributes:
        inputs, outputs: arrays by name, in the model's order: those that were given, and for others arrays in memory that the chip
            reads and writes in place, so that the host copies nothing. Each run overwrites the outputs. The arrays may outlive
            binding and session, but not a fork: a forked child has no such memory, and must not touch them.

    It has one run at a time; make several for several at once. Its memory is freed with the last of it and its arrays.
    """

    def __init__(self, session, native: _kawara.Binding, runner: Runner, inputs: dict, outputs: dict):
        self._session = session
        self._native = native
        self._runner = runner
        self._future: "Future | None" = None
        self.inputs = _arrays(native.inputs, inputs)
        self.outputs = _arrays(native.outputs, outputs)

    def run(self) -> "list[np.ndarray]":
        """Runs the model once, from `inputs` to `outputs`.

        Returns:
            the arrays of `outputs`, in the model's order: the same ones each time.

        Raises:
            Error: ``invalid_argument`` while another run of this binding is under way or when the session is closed, ``device_fault``,
                ``device_lost``, ``forked``.
        """
        self._check()
        return self._run()

    def run_async(self) -> Future:
        """Begins a run and returns at once; until it has ended, `inputs` must not change, and `outputs` mean nothing.

        Returns:
            a `Future` of what `run` returns.

        Raises:
            Error: ``invalid_argument`` while another run of this binding is under way or when the session is closed; ``forked``.
        """
        self._check()
        self._future = self._runner.submit(self._run)
        return self._future

    @property
    def cycles(self) -> int:
        """Cycles of the chip's work clock that the last run took; 0 before the first."""
        return self._native.cycles

    def _run(self) -> "list[np.ndarray]":
        self._native.run()
        return list(self.outputs.values())

    def _check(self) -> None:
        self._session._open()
        if self._future is not None and not self._future.done():
            raise Error("the binding's last run is still under way: wait for its end, or make another binding")
