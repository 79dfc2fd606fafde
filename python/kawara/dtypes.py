# SPDX-License-Identifier: Apache-2.0
"""Element types: the chip's names, numpy's types, and ONNX Runtime's spelling."""

import numpy as np

# chip's name: (numpy's name or None for one of ml_dtypes, ONNX Runtime's spelling)
_ROWS = {
    "f32": ("float32", "tensor(float)"),
    "f16": ("float16", "tensor(float16)"),
    "bf16": (None, "tensor(bfloat16)"),
    "f8e4m3": (None, "tensor(float8e4m3fn)"),
    "f8e5m2": (None, "tensor(float8e5m2)"),
    "i64": ("int64", "tensor(int64)"),
    "i32": ("int32", "tensor(int32)"),
    "i16": ("int16", "tensor(int16)"),
    "i8": ("int8", "tensor(int8)"),
    "u64": ("uint64", "tensor(uint64)"),
    "u32": ("uint32", "tensor(uint32)"),
    "u16": ("uint16", "tensor(uint16)"),
    "u8": ("uint8", "tensor(uint8)"),
    "boolean": ("bool", "tensor(bool)"),
}
_ML_DTYPES = {"bf16": "bfloat16", "f8e4m3": "float8_e4m3fn", "f8e5m2": "float8_e5m2"}
_FROM_NUMPY = {numpy: chip for chip, (numpy, _) in _ROWS.items() if numpy} | {ml: chip for chip, ml in _ML_DTYPES.items()}


def numpy_type(chip: str) -> np.dtype:
    """numpy's type for one of the chip's names, e.g. ``numpy_type("f32")``."""
    if chip in _ML_DTYPES:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, _ML_DTYPES[chip]))
    return np.dtype(_ROWS[chip][0])


def chip_type(dtype: np.dtype) -> str:
    """The chip's name for numpy's type, or ``""`` when the chip has no such type, as for one of the other byte order."""
    dtype = np.dtype(dtype)
    return _FROM_NUMPY.get(dtype.name, "") if dtype.isnative else ""


def onnx_spelling(chip: str) -> str:
    """ONNX Runtime's spelling, e.g. ``"tensor(float)"``."""
    return _ROWS[chip][1] if chip in _ROWS else f"tensor({chip})"
