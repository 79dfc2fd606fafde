# SPDX-License-Identifier: Apache-2.0
"""ncnn on Vulkan, in f32: pnnx converts the model. A layer that ncnn has no shader for it computes on the host's processor."""

import importlib.util
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np


def _convert(model: str, feeds: dict, folder: Path) -> Path:
    # not imported: that takes PyTorch, and the converter is a program beside it
    program = Path(importlib.util.find_spec("pnnx").origin).with_name("pnnx")
    kinds = {"float32": "f32", "int64": "i64", "int32": "i32"}
    shapes = ",".join(f"[{','.join(map(str, array.shape))}]{kinds[str(array.dtype)]}" for array in feeds.values())
    copy = folder / "model.onnx"  # pnnx writes beside what it reads
    copy.symlink_to(Path(model).resolve())
    done = subprocess.run([program, copy, f"inputshape={shapes}", "fp16=0"], capture_output=True, text=True, errors="replace")
    stem = folder / "model.ncnn"
    if done.returncode != 0 or not stem.with_suffix(".ncnn.param").exists():
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise RuntimeError(f"pnnx ended with status {done.returncode}: {said[-1] if said else 'without a word'}")
    return stem


def open(model: str, feeds: dict, device: str):
    import ncnn
    begin = time.perf_counter()
    if any(array.ndim > 2 and array.shape[0] != 1 for array in feeds.values()):
        raise RuntimeError("ncnn has no batches")
    with tempfile.TemporaryDirectory() as folder:
        stem = _convert(model, feeds, Path(folder))
        converted = time.perf_counter()
        names = [ncnn.get_gpu_info(index).device_name() for index in range(ncnn.get_gpu_count())]
        if device not in names:
            raise RuntimeError(f"ncnn does not see the Vulkan device '{device}', but {names}")
        net = ncnn.Net()
        net.set_vulkan_device(names.index(device))
        net.opt.use_vulkan_compute = True
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        if net.load_param(f"{stem}.param") != 0 or net.load_model(f"{stem}.bin") != 0:
            raise RuntimeError("ncnn does not load what pnnx made")
    loaded = time.perf_counter()
    # ncnn's tensors have no dimension for a batch; a matrix of several rows is taken whole
    inputs = [array.reshape(array.shape[1:]) if array.ndim > 1 and array.shape[0] == 1 else array for array in feeds.values()]
    inputs = [np.ascontiguousarray(array.astype(np.int32) if array.dtype == np.int64 else array) for array in inputs]

    def run() -> list:
        with net.create_extractor() as extractor:
            for number, array in enumerate(inputs):
                if extractor.input(f"in{number}", ncnn.Mat(array).clone()) != 0:
                    raise RuntimeError(f"ncnn takes no input in{number}")
            outputs = []
            for name in net.output_names():
                status, output = extractor.extract(name)
                if status != 0:
                    raise RuntimeError(f"ncnn's run ended with status {status}")
                outputs.append(np.array(output))
            return outputs

    return run, {"compile_s": converted - begin, "load_s": loaded - converted}
