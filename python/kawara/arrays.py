# SPDX-License-Identifier: Apache-2.0
"""The caller's tensors as numpy arrays over the same memory: numpy's own, and those of any library that speaks DLPack."""

import numpy as np

from .dtypes import chip_type
from .errors import Error

_CPU = 1  # kDLCPU, DLPack's code of the host's memory
_DEVICES = {2: "CUDA", 3: "pinned CUDA", 4: "OpenCL", 7: "Vulkan", 8: "Metal", 10: "ROCm", 13: "managed CUDA", 14: "oneAPI", 15: "WebGPU", 16: "Hexagon"}


def _of_dlpack(what: str, value, code: str) -> np.ndarray:
    device = int(value.__dlpack_device__()[0])
    if device != _CPU:
        raise Error(f"{what}: a {type(value).__name__} in the memory of DLPack device {device} ({_DEVICES.get(device, 'unknown')}); "
                    "only the host's memory, 1 (CPU), can be read", code=code, remedy="copy it to the host first, e.g. with .cpu()")
    try:
        return np.from_dlpack(value)
    except Exception as problem:
        raise Error(f"{what}: numpy can't take this {type(value).__name__} by DLPack ({problem})", code=code,
                    remedy="give it as a numpy array; for bfloat16 and 8-bit floats one of the dtypes of ml_dtypes") from None


def array_of(what: str, value, code: str = "wrong_input") -> np.ndarray:
    """The value as an array, over its own memory where it has some. what: how messages call it, e.g. "input 'x'"."""
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__"):
        return _of_dlpack(what, value, code)
    return np.asarray(value)


def chip_type_of(what: str, array: np.ndarray, code: str = "wrong_input") -> str:
    """The chip's name of the array's element type."""
    if dtype := chip_type(array.dtype):
        return dtype
    raise Error(f"{what}: numpy's {array.dtype} has no counterpart on the chip; convert it first, e.g. .astype('float32')", code=code)


def feed(name: str, value) -> tuple:
    """An input of a run as _kawara takes it: name, element type, a dense array."""
    what = f"input '{name}'"
    array = array_of(what, value)
    return str(name), chip_type_of(what, array), np.ascontiguousarray(array).reshape(array.shape)


def bound_input(name: str, value) -> tuple:
    """An input that is read again at each run: name, element type, shape, an array over the caller's memory."""
    what = f"input '{name}'"
    if not isinstance(value, np.ndarray) and not hasattr(value, "__dlpack__"):
        raise Error(f"{what} must be a numpy array or an object with __dlpack__ to be bound, got {type(value).__name__}", code="wrong_input")
    array = array_of(what, value)
    dtype = chip_type_of(what, array)
    if not array.flags.c_contiguous:
        raise Error(f"{what}: a bound array must be dense and row-major, got strides {array.strides} for shape {array.shape}",
                    code="wrong_input", remedy="bind np.ascontiguousarray(it), or leave it out and write into binding.inputs")
    return str(name), dtype, list(array.shape), array


def bound_output(name: str, value) -> tuple:
    """An output's place: name, element type, an array over the caller's memory."""
    what = f"output '{name}'"
    code = "invalid_argument"
    if not isinstance(value, np.ndarray) and not hasattr(value, "__dlpack__"):
        raise Error(f"{what} must be a numpy array or an object with __dlpack__ to be filled in place, got {type(value).__name__}", code=code)
    array = array_of(what, value, code)
    dtype = chip_type_of(what, array, code)
    if not array.flags.writeable:
        raise Error(f"{what}: the array is read-only, and can't be filled", code=code,
                    remedy="give an array that may be written, or leave it out and read binding.outputs")
    if not array.flags.c_contiguous:
        raise Error(f"{what}: an array that is filled in place must be dense and row-major, got strides {array.strides} for shape {array.shape}",
                    code=code, remedy="give one of np.empty(shape, dtype), or leave it out and read binding.outputs")
    return str(name), dtype, array
