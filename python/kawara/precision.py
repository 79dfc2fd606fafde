# SPDX-License-Identifier: Apache-2.0
"""What a precision costs in exactness: a model run in f32 and in less, on the same inputs."""

import os
from typing import Mapping

import numpy as np

from . import _kawara, inputs
from .session import InferenceSession, Shapes, _shapes


def precision_error(model: "str | os.PathLike", precision: str, *, feeds: "Mapping[str, np.ndarray] | None" = None, shapes: "Shapes | None" = None,
                    device: str = "auto") -> dict:
    """Runs a model in f32 and in `precision` and measures how far the outputs are apart.

    The figures are of these inputs and of this model alone: others may cost more.

    Args:
        model: path of an .onnx file.
        precision: ``"bf16"`` or ``"f16"``.
        feeds: arrays for inputs; those that are not given get seeded values, the same each time.
        shapes: dimensions for inputs that the model leaves open.
        device: as for `InferenceSession`.

    Returns:
        model, precision, device; seeded: names of the inputs that were not given.
        weights_bytes and weights_in_f32_bytes: what the chip's memory holds of the two.
        cycles and cycles_in_f32: of a run, by the chip's cost model.
        outputs: one row each: name, elements, magnitude (the largest in f32), max_abs (the largest error), max_share (that of the
            magnitude), rms_share (root of the mean square of the errors, as a share of the values'), not_finite (elements that are
            infinite or NaN where f32 is finite; they count as infinite errors), same_argmax (the share of rows along the last dimension
            longer than 1 whose largest element is the same; None where there is none, and for integers).

    Raises:
        Error: what `compile` and `InferenceSession.run` raise.
    """
    path = os.fspath(model)
    given, dims = dict(feeds or {}), _shapes(shapes)
    rows = _kawara.inspect(path)["inputs"]
    dims |= {name: list(np.shape(value)) for name, value in given.items()}
    arrays = inputs.feeds_for(path, rows, given, {name: shape for name, shape in dims.items() if name in {row[0] for row in rows}})
    open_shapes = {name: np.shape(arrays[name]) for name, _, shape, _ in rows if any(d < 0 for d in shape)}
    results, reports = [], []
    for each in ("f32", precision):
        with InferenceSession(path, device, shapes=open_shapes, precision=each) as session:
            results.append(session.run(None, arrays))
            reports.append(session.program.report_data())
            names, where = [arg.name for arg in session.get_outputs()], session.device
    return {"model": path, "precision": precision, "device": where, "seeded": [row[0] for row in rows if row[0] not in given],
            "weights_bytes": reports[1]["weights_bytes"], "weights_in_f32_bytes": reports[0]["weights_bytes"],
            "cycles": reports[1]["predicted_cycles"], "cycles_in_f32": reports[0]["predicted_cycles"],
            "outputs": [_row(name, exact, got) for name, exact, got in zip(names, *results)]}


def _row(name: str, exact: np.ndarray, got: np.ndarray) -> dict:
    is_float = not np.issubdtype(exact.dtype, np.integer) and exact.dtype != bool
    a, b = np.asarray(exact, np.float64), np.asarray(got, np.float64)
    finite = np.isfinite(a)
    lost = finite & ~np.isfinite(b)
    both = finite & np.isfinite(b)
    error = np.abs(a - b, where=both, out=np.zeros_like(a))
    magnitude = float(np.abs(a[finite]).max(initial=0))
    max_abs = float("inf") if lost.any() else float(error.max(initial=0))
    scale = float(np.sqrt(np.mean(a[finite] ** 2))) if finite.any() else 0.0
    rms = float("inf") if lost.any() else float(np.sqrt(np.mean(error[finite] ** 2))) if finite.any() else 0.0
    longer = [axis for axis in range(a.ndim) if a.shape[axis] > 1]
    same = np.mean(np.argmax(a, longer[-1]) == np.argmax(b, longer[-1])) if is_float and longer and a.size else None
    return {"name": name, "elements": int(a.size), "magnitude": magnitude, "max_abs": max_abs, "max_share": max_abs / magnitude if magnitude else max_abs,
            "rms_share": rms / scale if scale else rms, "not_finite": int(lost.sum()), "same_argmax": None if same is None else float(same)}
