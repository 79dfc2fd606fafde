# SPDX-License-Identifier: Apache-2.0
"""InferenceSession, Program and compile: models from Python, the way ONNX Runtime's users expect it."""

import json
import os
import weakref
from dataclasses import dataclass
from typing import Mapping, Sequence

import numpy as np

from . import _kawara
from .arrays import bound_input, bound_output, feed
from .binding import Binding
from .dtypes import numpy_type, onnx_spelling
from .errors import Error
from .in_flight import Future, Runner
from .report import report_text

Shapes = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class NodeArg:
    """An input or output. An open dimension of `shape` is its name in the model, or None when it has none."""

    name: str
    shape: list
    type: str

    @staticmethod
    def _of(row) -> "NodeArg":
        name, dtype, shape, dimensions = row
        dims = [d if d >= 0 else (n or None) for d, n in zip(shape, dimensions)]
        return NodeArg(name, dims, onnx_spelling(dtype))


@dataclass(frozen=True)
class ModelMetadata:
    """What the model says of itself."""

    custom_metadata_map: dict


class Program:
    """A compiled model: made by `kawara.compile` or `Program.load`, kept in a .kwr file, run by `InferenceSession`."""

    def __init__(self, native: _kawara.Program):
        self._native = native

    @staticmethod
    def load(path: "str | os.PathLike") -> "Program":
        return Program(_kawara.Program.load(os.fspath(path)))

    def save(self, path: "str | os.PathLike") -> None:
        """Writes a .kwr file. The same model, options and version give the same bytes."""
        self._native.save(os.fspath(path))

    @property
    def target(self) -> str:
        """The chip it was compiled for, e.g. ``"k1"``."""
        return self._native.target

    @property
    def metadata(self) -> dict:
        return self._native.metadata

    def relower(self, target: str) -> "Program":
        """The same program for another chip, made from the portable graph that it carries.

        Raises:
            Error: ``version_mismatch`` (it carries none), ``invalid_program``, ``invalid_argument``, ``out_of_memory`` or ``unsupported``.
        """
        return Program(_kawara.relower(self._native, target))

    def get_inputs(self) -> "list[NodeArg]":
        return [NodeArg._of(row) for row in self._native.inputs]

    def get_outputs(self) -> "list[NodeArg]":
        return [NodeArg._of(row) for row in self._native.outputs]

    def report(self) -> str:
        """What the compiler did with the model, for people. `report_data` holds the same for programs."""
        return report_text(self.report_data())

    def report_data(self) -> dict:
        return json.loads(self._native.report or "{}")

    def __repr__(self) -> str:
        return f"<kawara.Program for {self.target}: {self._native.command_bytes} B of commands, {self._native.weight_bytes} B of weights>"


def _shapes(shapes: "Shapes | None") -> dict:
    result = {}
    for name, dims in (shapes or {}).items():
        try:
            result[str(name)] = [int(d) for d in dims]
        except (TypeError, ValueError):
            raise Error(f"shapes[{name!r}] must be a sequence of integers, got {dims!r}") from None
    return result


def compile(model: "str | os.PathLike", *, shapes: "Shapes | None" = None, target: str = "k1", precision: str = "f32") -> Program:
    """Compiles an ONNX file.

    Args:
        model: path of the .onnx file.
        shapes: dimensions for inputs that the model leaves open, e.g. ``{"x": (1, 3, 224, 224)}``.
        target: the chip to compile for.
        precision: of the operands of convolutions and matrix products, weights and others: ``"f32"``, ``"bf16"`` or ``"f16"``. The latter
            halve the weights, and the chip multiplies them at four times the speed; sums and everything else stay f32. `precision_error`
            measures what they cost.

    Raises:
        Error: ``shape_required``, ``wrong_input``, ``invalid_model``, ``unsupported``, which lists every node that the chip can't run, or
            ``invalid_argument``: another precision, or a weight that f16 can't hold.
    """
    return Program(_kawara.compile(os.fspath(model), _shapes(shapes), target, str(precision)))


def devices() -> "list[dict]":
    """What is there: name, kind, config, sizes of local memory and SRAM in bytes."""
    return _kawara.devices()


def _ran(native: _kawara.InferenceSession, output_names: "Sequence[str] | None", feeds: list, capture: str = "") -> "list[np.ndarray]":
    names = [output_names] if isinstance(output_names, str) else list(output_names or [])
    return [data.view(numpy_type(dtype)).reshape(shape) for _, dtype, shape, data in native.run(names, feeds, capture)]


_SLOTS_MAX = 1024  # each has a thread for run_async
# Native sessions and bindings. They keep devices open, and a run in flight or an array may keep them when nothing else does.
_users_of_devices = weakref.WeakSet()

# Mesa's exit handler waits for the threads of open devices by their addresses. In a forked child these are the parent's threads,
# and where they were there may be others by then, or nothing.
os.register_at_fork(after_in_child=lambda: _users_of_devices and _kawara.skip_exit_handlers())


class InferenceSession:
    """A model ready to run.

        session = kawara.InferenceSession("model.onnx")
        outputs = session.run(None, {"x": array})

    Args:
        model: path of an .onnx or .kwr file, or a `Program`.
        device: ``"auto"``, ``"emulator"``, ``"emulator:reference"``, ``"emulator:config=k1-mini"``, ``"/dev/accel/accel0"``;
            ``"emulator:reference,order=7"`` runs commands in an order that the waits allow, drawn from the seed 7.
        shapes: dimensions for inputs that the model leaves open. Without them the model compiles at the first run, for the
            shapes of its feeds; each new set of shapes is compiled once and kept.
        precision: as for `compile`; of a program it is what that was compiled with.
        cache: whether compiled programs are taken from the cache folder and kept there; see ``kawara cache``.
        slots: how many runs may be under way at once, from threads or by `run_async`; others wait for their turn. Each slot takes
            memory of its own on the device, for intermediate results.

    A model is compiled for the device's configuration; a program for another one is re-lowered for it, and its report says so
    (``session.program.report_data()["relowered_from"]``).

    `run` may be called from many threads. `with` closes the session.

    Raises:
        Error: ``not_found`` (the file or the device), ``invalid_argument`` (slots below 1), ``device_unavailable``, ``out_of_memory``,
            and what `compile` and `Program.load` raise.
    """

    def __init__(self, model: "str | os.PathLike | Program", device: str = "auto", *, shapes: "Shapes | None" = None,
                 precision: str = "f32", cache: bool = True, slots: int = 1):
        self._native = None
        if isinstance(slots, bool) or not isinstance(slots, int) or not 1 <= slots <= _SLOTS_MAX:
            raise Error(f"slots: a whole number from 1 to {_SLOTS_MAX}, got {slots!r}")
        if isinstance(model, Program):
            if precision != "f32":
                raise Error(f"precision={precision!r}: a program has the precision that it was compiled with")
            self._native = _kawara.InferenceSession(model._native, device, slots)
        else:
            self._native = _kawara.InferenceSession(os.fspath(model), device, _shapes(shapes), cache, slots, str(precision))
        self._shapes = _shapes(shapes)
        self._runner = Runner(slots)
        weakref.finalize(self, self._runner.stop).atexit = False
        _users_of_devices.add(self._native)

    @property
    def device(self) -> str:
        """The device that "auto" found."""
        return self._open().device

    @property
    def program(self) -> "Program | None":
        """The program that the last run used; None before a model with open dimensions has run."""
        native = self._open().program
        return Program(native) if native is not None else None

    def get_inputs(self) -> "list[NodeArg]":
        return [NodeArg._of(row) for row in self._open().inputs]

    def get_outputs(self) -> "list[NodeArg]":
        return [NodeArg._of(row) for row in self._open().outputs]

    def get_modelmeta(self) -> ModelMetadata:
        return ModelMetadata(dict(self._open().metadata))

    def run(self, output_names: "Sequence[str] | None", input_feed: Mapping[str, np.ndarray], *,
            capture: "str | os.PathLike | None" = None) -> "list[np.ndarray]":
        """Runs the model once.

        Args:
            output_names: which outputs, in this order; None for all.
            input_feed: an array for every input, or an object with ``__dlpack__`` in the host's memory, such as a tensor of PyTorch.
                Its dtype must be the input's: nothing is cast silently.
            capture: a file, .kwj by custom, that keeps the job whole, weights and inputs and all, with its outputs or its fault; `replay` runs it.

        Returns:
            the outputs as numpy arrays, which are the caller's own.

        Raises:
            Error: ``wrong_input`` (a name, dtype or shape that is not the model's), ``not_found`` (an output's name),
                ``device_fault`` (the job is kept, and the message names the file), ``device_lost``, ``forked``, ``io_failed`` (the
                capture can't be written), and what `compile` raises when the shapes are new.
        """
        return _ran(self._open(), output_names, [feed(name, value) for name, value in input_feed.items()], os.fspath(capture or ""))

    def run_async(self, output_names: "Sequence[str] | None", input_feed: Mapping[str, np.ndarray]) -> Future:
        """Begins a run and returns at once; the run waits for one of the session's slots.

            futures = [session.run_async(None, {"x": x}) for x in batches]
            for future in futures:
                outputs = future.result()

        Args:
            output_names, input_feed: as for `run`. Dense arrays are read where they are: they must not change until the run has ended.

        Returns:
            a `Future` of what `run` returns. What `run` raises is raised by its `result`.

        Raises:
            Error: ``invalid_argument`` when the session is closed, ``forked`` in a child of the process that opened it.
        """
        native = self._open()
        self._runner.check_process()
        try:
            feeds = [feed(name, value) for name, value in input_feed.items()]
        except Exception as problem:
            failed = Future()
            failed.set_exception(problem)
            return failed
        return self._runner.submit(lambda: _ran(native, output_names, feeds))

    def bind(self, inputs: "Mapping[str, np.ndarray] | None" = None, outputs: "Mapping[str, np.ndarray] | None" = None, *,
             shapes: "Shapes | None" = None) -> Binding:
        """Fixes where inputs and outputs lie, for many runs without copies in Python, or without any.

            binding = session.bind(outputs={"y": preallocated})
            binding.inputs["x"][:] = array
            binding.run()

        Args:
            inputs: the caller's arrays that each run reads, dense and row-major, with the input's dtype and shape.
            outputs: the caller's arrays that each run fills, dense, row-major and writable, with the output's dtype and shape.
            shapes: dimensions for inputs that are not given and that the model leaves open; by default the session's.

        Arrays that are given are copied once a run, from or to memory that the chip reaches. Where none is given the binding makes
        one that lies in such memory, and nothing is copied. Objects with ``__dlpack__`` in the host's memory serve as arrays.

        Raises:
            Error: ``wrong_input`` (an input's name, dtype, shape or strides), ``not_found`` (an output's name), ``invalid_argument``
                (an output's dtype, shape or strides, one that is read-only, a closed session), ``shape_required``, ``forked``,
                ``out_of_memory``, and what `compile` raises when the shapes are new.
        """
        native = self._open()
        rows = {row[0]: row for row in (bound_input(name, value) for name, value in (inputs or {}).items())}
        places = [bound_output(name, value) for name, value in (outputs or {}).items()]
        wanted = _shapes(shapes)
        known = {name: (dtype, dims, names) for name, dtype, dims, names in native.inputs}
        for name in wanted:
            if name not in known:
                raise Error(f"shapes: the model has no input '{name}'; it has {', '.join(map(repr, known))}", code="wrong_input")
        for name, (dtype, dims, names) in known.items():
            if name not in rows:
                shape = wanted.get(name) or self._shapes.get(name) or dims
                if any(d < 0 for d in shape):
                    raise Error(f"input '{name}' of shape {NodeArg._of((name, dtype, dims, names)).shape} is not bound, and a dimension is open",
                                code="shape_required", remedy=f"give an array for it, or shapes={{{name!r}: (…)}}")
                rows[name] = (name, dtype, shape, None)
        bound = native.bind(list(rows.values()), places)
        _users_of_devices.add(bound)
        return Binding(self, bound, self._runner, {name: row[3] for name, row in rows.items()}, {name: array for name, _, array in places})

    def close(self) -> None:
        """Waits for the runs that `run_async` began, then frees the device's memory. The session can't be used afterwards."""
        self._native = None
        self._runner.finish()

    def __enter__(self) -> "InferenceSession":
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is None:
            self.close()
            return
        # Something went wrong inside of `with`: what has not begun never will, and what is under way is left to itself.
        self._native = None
        self._runner.cancel()

    def _open(self):
        if self._native is None:
            raise Error("the session is closed")
        return self._native
