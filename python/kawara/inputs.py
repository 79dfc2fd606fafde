# SPDX-License-Identifier: Apache-2.0
"""Arrays for a model's inputs from the command line: .npy and picture files, shapes, or seeded random values."""

import os
import zlib

import numpy as np

from .dtypes import numpy_type
from .errors import Error


def parse_shape(text: str) -> "tuple[str, list[int]]":
    """``"x=1,3,224,224"`` as ("x", [1, 3, 224, 224])."""
    name, _, dims = text.rpartition("=")
    try:
        shape = [int(d) for d in dims.split(",")] if dims else []
        if not name or any(d < 0 for d in shape):
            raise ValueError
    except ValueError:
        raise Error(f"--shape {text}: expected NAME=D1,D2,… with whole numbers, e.g. x=1,3,224,224") from None
    return name, shape


def parse_input(text: str) -> "tuple[str, np.ndarray]":
    """``"x=file.npy"`` or ``"x=picture.png"`` as ("x", array)."""
    name, _, path = text.partition("=")
    if not name or not path:
        raise Error(f"--input {text}: expected NAME=FILE, e.g. x=picture.png")
    if not os.path.exists(path):
        raise Error(f"--input {text}: there is no file '{path}'", code="not_found")
    if path.endswith(".npy"):
        try:
            return name, np.load(path, allow_pickle=False)
        except Exception as problem:
            raise Error(f"--input {text}: not a readable .npy file ({problem})", code="io_failed") from None
    return name, picture(path)


def picture(path: str) -> np.ndarray:
    """A picture as float32 of shape [1, 3, height, width], values in [0, 1]."""
    try:
        from PIL import Image
    except ImportError:
        raise Error("reading pictures needs Pillow: pip install pillow", code="device_unavailable") from None
    try:
        pixels = np.asarray(Image.open(path).convert("RGB"), np.float32)
    except Exception as problem:
        raise Error(f"'{path}' is not a picture that can be read ({problem})", code="io_failed") from None
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None] / 255)


def random_input(model: str, name: str, dtype: str, shape: "list[int]") -> np.ndarray:
    """Values that depend on the model's and the input's names alone: floats of a normal distribution, integers 0 and 1."""
    generator = np.random.RandomState(zlib.crc32(f"{model}/{name}".encode()))
    if dtype in ("f32", "f16", "bf16"):
        return generator.standard_normal(shape).astype(numpy_type(dtype))
    return generator.randint(0, 2, shape).astype(numpy_type(dtype))


def feeds_for(model: str, rows: list, given: dict, shapes: dict) -> dict:
    """The given arrays, and seeded ones for inputs without a file. rows: the inputs as _kawara has them."""
    known = {name: (dtype, dims, dimension_names) for name, dtype, dims, dimension_names in rows}
    for name in [*given, *shapes]:
        if name not in known:
            raise Error(f"the model has no input '{name}'; it has {', '.join(repr(n) for n in known)}", code="wrong_input",
                        remedy="`kawara inspect MODEL` lists the inputs")
    feeds = dict(given)
    for name, (dtype, dims, dimension_names) in known.items():
        if name in feeds:
            continue
        dims = [s if d < 0 else d for d, s in zip(dims, shapes.get(name, dims))]
        for position, d in enumerate(dims):
            if d < 0:
                raise Error(f"input '{name}': dimension {position} ({dimension_names[position] or 'unnamed'}) is open",
                            code="shape_required", remedy=f"give it with --shape {name}={','.join('N' if e < 0 else str(e) for e in dims)}, or an array with --input")
        feeds[name] = random_input(os.path.basename(model), name, dtype, dims)
    return feeds
