# SPDX-License-Identifier: Apache-2.0
"""IREE on Vulkan: its own importer and compiler make SPIR-V of the model, for a device that they know nothing particular of."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def _do(*command) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        reasons = [line for line in said if "error:" in line] or said[-1:] or ["without a word"]
        raise RuntimeError(f"{Path(command[0]).name} ended with status {done.returncode}: {reasons[0]}")


def _compile(model: str, folder: Path) -> bytes:
    tools = Path(sys.executable).parent  # not resolved: those of this environment
    _do(tools / "iree-import-onnx", model, "-o", folder / "model.mlir")
    _do(tools / "iree-compile", folder / "model.mlir", "--iree-hal-target-device=vulkan", "-o", folder / "model.vmfb")
    return (folder / "model.vmfb").read_bytes()


def _open_device(runtime, name: str):
    driver = runtime.get_driver("vulkan")
    for row in driver.query_available_devices():
        if name in row["name"]:
            return driver.create_device(row)
    raise RuntimeError(f"IREE does not see the Vulkan device '{name}'")


def _read(runtime, device, array) -> np.ndarray:
    """A copy on the host. DeviceArray.to_host() imports memory that is not aligned as Vulkan wants it, and fails."""
    source = array._buffer_view.get_buffer()
    host = device.allocator.allocate_buffer(
        memory_type=int(runtime.MemoryType.HOST_LOCAL | runtime.MemoryType.DEVICE_VISIBLE),
        allowed_usage=int(runtime.BufferUsage.TRANSFER_TARGET | runtime.BufferUsage.MAPPING_SCOPED), allocation_size=source.byte_length())
    semaphore = device.create_semaphore(0)
    device.queue_copy(source, host, wait_semaphores=runtime.HalFence.create_at(semaphore, 0),
                      signal_semaphores=runtime.HalFence.create_at(semaphore, 1))
    runtime.HalFence.create_at(semaphore, 1).wait()
    return host.map().asarray(array.shape, array.dtype).copy()


def open(model: str, feeds: dict, device: str):
    import iree.runtime as runtime
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        code = _compile(model, Path(folder))
    compiled = time.perf_counter()
    config = runtime.Config(device=_open_device(runtime, device))
    module = runtime.VmModule.copy_buffer(config.vm_instance, code)
    context = runtime.SystemContext(vm_modules=[runtime.create_hal_module(config.vm_instance, config.device), module], config=config)
    name = next(name for name in module.function_names if not name.startswith("__") and not name.endswith("$async"))
    function = context.modules[module.name][name]
    loaded = time.perf_counter()

    def run() -> list:
        results = function(*feeds.values())
        return [_read(runtime, config.device, result) for result in (results if isinstance(results, (tuple, list)) else [results])]

    return run, {"compile_s": compiled - begin, "load_s": loaded - compiled}
