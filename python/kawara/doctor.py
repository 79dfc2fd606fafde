# SPDX-License-Identifier: Apache-2.0
"""What this machine has for Kawara, what it lacks, and what to do about it."""

import importlib.metadata
import importlib.util
import os
import re
import resource
import stat
import struct
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from . import _kawara
from .errors import Error
from .report import size_text
from .session import InferenceSession, devices

# ok: as it should be. warning: works, but not as well as it could. problem: something does not work. unchecked: nobody looked.
STATES = ("ok", "warning", "problem", "unchecked")
OLDEST_QUICK_MESA = (25, 0)

NOT_CHECKED = (
    "whether a Vulkan device rounds as the chip does, beyond the small job above",
    "how fast this machine is: its emulator says nothing about the chip's speed",
    "memory and disks beyond their free space",
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `code` is a row of the error catalogue when `state` is a problem, else ""."""

    check: str
    state: str
    message: str
    code: str = ""
    remedy: str = ""

    @staticmethod
    def of(check: str, error: Error, remedy: str = "", state: str = "problem") -> "Finding":
        return Finding(check, state, error.message, error.code, remedy or error.remedy)


def examine() -> "list[Finding]":
    """Every check, in the order in which people read them."""
    findings = [*versions(), *environment(), *vulkan(), *memory(), *nodes(), *kernel_module(), *cache(), *companions()]
    found = {row["name"]: row for row in devices() if row["config"] == "k1"}
    findings += [job(name) for name in found]
    findings.append(job("auto"))
    return findings + [Finding("not checked", "unchecked", text) for text in NOT_CHECKED]


def usable(findings: "list[Finding]") -> bool:
    """Whether the device that people get without asking for one computes what it should."""
    return any(finding.check == "job on auto" and finding.state == "ok" for finding in findings)


def rows(findings: "list[Finding]") -> "list[dict]":
    return [asdict(finding) for finding in findings]


def versions() -> "list[Finding]":
    """One version in the package, its extension and the library that the loader found for it."""
    try:
        package = importlib.metadata.version("kawara")
    except importlib.metadata.PackageNotFoundError:
        package = _kawara.built_version()
    return compared(package, _kawara.built_version(), _kawara.version())


def compared(package: str, extension: str, library: str) -> "list[Finding]":
    if package == extension == library:
        return [Finding("version", "ok", f"kawara {library}, package and library alike")]
    return [Finding("version", "problem", f"the Python package is {package}, its extension was built from {extension}, libkawara is {library}",
                    "version_mismatch", "install the package again, and look whether LD_LIBRARY_PATH leads to another libkawara")]


def environment() -> "list[Finding]":
    findings = [Finding("environment", "warning", f"{name} is no variable of Kawara's", "", "`kawara help environment` lists them")
                for name in _kawara.unknown_variables() if not name.startswith("KAWARA_TEST_")]
    given = [f"{name}={given}" for name, given, _, _ in _kawara.variables() if given and name.startswith("KAWARA_")]
    return findings + [Finding("environment", "ok", ", ".join(given) or "no variable of Kawara's is set")]


def vulkan() -> "list[Finding]":
    """The devices that the emulator may compute on."""
    remedy = "install the Vulkan loader and a driver: `apt install libvulkan1 mesa-vulkan-drivers`; 'emulator:reference' needs neither"
    try:
        found = _kawara.vulkan_devices()
    except Error as error:
        return [Finding.of("vulkan", error, remedy)]
    findings = []
    for device in found:
        what = f"{device['name']}, {device['driver']}"
        if device["lacks"]:
            findings.append(Finding("vulkan", "warning", f"{what}: lacks {device['lacks']}", "device_unavailable",
                                    "update its driver, or use another device; KAWARA_VULKAN_DEVICE chooses by name"))
        elif slow := slow_mesa(device["driver"]):
            findings.append(Finding("vulkan", "warning", f"{what}: {slow}", "", "install Mesa 25.0 or newer; Debian 12's backports have it"))
        else:
            findings.append(Finding("vulkan", "ok", what))
    if all(device["lacks"] for device in found):
        findings.append(Finding("vulkan", "problem", "no device has what the emulator needs", "device_unavailable", remedy))
    return findings


def slow_mesa(driver: str) -> str:
    """Why a Mesa software driver is slower than it could be, or ""."""
    version = re.search(r"llvmpipe Mesa (\d+)\.(\d+)", driver)
    if version and (int(version[1]), int(version[2])) < OLDEST_QUICK_MESA:
        return "lavapipe before Mesa 25.0 is slower"
    return ""


def memory() -> "list[Finding]":
    """The emulated chip's memory is address space first, and real memory as it is written."""
    needed = max((row["local_bytes"] for row in devices() if row["config"] == "k1"), default=0)
    return memory_against(needed, resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_MEMLOCK)[0], available_memory())


def available_memory() -> "int | None":
    try:
        line = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(line[1]) << 10 if line else None


def memory_against(needed: int, addresses: int, lockable: int, free: "int | None") -> "list[Finding]":
    unlimited = resource.RLIM_INFINITY
    findings = []
    if addresses != unlimited and addresses < needed:
        findings.append(Finding("address space", "problem", f"the limit is {size_text(addresses)}, and the emulated chip reserves {size_text(needed)}",
                                "out_of_memory", "raise it (`ulimit -v unlimited`), or use config=k1-mini"))
    else:
        findings.append(Finding("address space", "ok", "unlimited" if addresses == unlimited else f"up to {size_text(addresses)}"))
    if free is None:
        findings.append(Finding("memory", "unchecked", "how much is free, this system does not tell"))
    elif free < needed:
        findings.append(Finding("memory", "warning", f"{size_text(free)} are free, and the emulated chip has {size_text(needed)}: it takes real memory only "
                                "for what models fill, and large ones may not fit", "", "use smaller models or batches, or free memory"))
    else:
        findings.append(Finding("memory", "ok", f"{size_text(free)} are free"))
    locked = "without limit" if lockable == unlimited else f"up to {size_text(lockable)}"
    return findings + [Finding("locked memory", "ok", f"{locked}; the emulator locks none")]


def nodes(accel: Path = Path("/dev/accel"), classes: Path = Path("/sys/class/accel"), may=os.access) -> "list[Finding]":
    """Accelerators' device nodes, and whose they are."""
    found = sorted(accel.glob("accel*")) if accel.is_dir() else []
    if not found:
        return [Finding("device nodes", "ok", f"none in {accel}; the emulator needs none")]
    findings = []
    for node in found:
        driver = (classes / node.name / "device" / "driver").resolve().name
        if driver != "kawara":
            whose = "a driver that cannot be told" if driver in ("driver", "") else f"the driver '{driver}'"
            findings.append(Finding("device nodes", "ok", f"{node} belongs to {whose}; Kawara leaves it alone"))
        elif not may(node, os.R_OK | os.W_OK):
            findings.append(Finding("device nodes", "problem", f"{node}: permission denied", "device_unavailable",
                                    f"join the group of {node} ({owner_of(node)}), then log in again"))
        else:
            findings.append(Finding("device nodes", "warning", f"{node} is there, and this version cannot use it yet", "", "use the emulator meanwhile"))
    return findings


def owner_of(path: Path) -> str:
    status = path.stat()
    return f"gid {status.st_gid}, mode {stat.filemode(status.st_mode)}"


def kernel_module(modules: Path = Path("/sys/module")) -> "list[Finding]":
    there = (modules / "kawara").is_dir()
    return [Finding("kernel module", "unchecked", "kawara is loaded, and this version does not use it yet" if there
                    else "this version has none yet: programs run on the emulated chip")]


def cache() -> "list[Finding]":
    try:
        folder = _kawara.cache_folder()
        limits = _kawara.cache_limits()
        _kawara.fault_folder()
    except Error as error:
        return [Finding.of("cache", error)]
    if folder is None:
        return [Finding("cache", "warning", "off: each process compiles again", "", "set KAWARA_CACHE to an absolute folder, or unset it")]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        return [Finding("cache", "problem", f"{folder}: cannot be written: {problem.strerror}", "io_failed",
                        "make the folder yours, or set KAWARA_CACHE to one that is, or to off")]
    return [Finding("cache", "ok", f"{folder}, up to {size_text(sum(limits))}")]


def companions() -> "list[Finding]":
    """Packages that only parts of the command line need."""
    needs = (("onnxruntime", "`kawara run --check` compares with it"), ("PIL", "pictures as inputs are read by it (pip install pillow)"))
    return [Finding("companions", "ok", f"{name} is there: {need}") if importlib.util.find_spec(name)
            else Finding("companions", "warning", f"{name} is missing: {need}", "", f"pip install {'pillow' if name == 'PIL' else name}, if you need it")
            for name, need in needs]


def job(device: str) -> Finding:
    """Runs y = relu(x w) on whole numbers, where every right answer is exact."""
    check = f"job on {device}"
    x = np.arange(-32, 32, dtype=np.float32).reshape(8, 8)
    w = (np.arange(64, dtype=np.float32).reshape(8, 8) * 5) % 7 - 3
    expected = np.maximum(x.astype(np.int64) @ w.astype(np.int64), 0)
    begin = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder, "job.onnx")
            model.write_bytes(small_model(w))
            with InferenceSession(model, device, cache=False) as session:
                got = session.run(None, {"x": x})[0]
                name = session.device
    except Error as error:
        return Finding.of(check, error)
    milliseconds = (time.perf_counter() - begin) * 1e3
    if not np.array_equal(got, expected):
        wrong = int(np.count_nonzero(got != expected))
        return Finding(check, "problem", f"{wrong} of {got.size} results are wrong", "internal", "report it, with what `kawara doctor --json` prints")
    return Finding(check, "ok", f"right to the last bit on {name}, {milliseconds:.0f} ms with opening, compiling and loading")


def small_model(w: np.ndarray) -> bytes:
    """y = relu(x w) as ONNX's bytes, so that no package is needed that writes models."""

    def field(number: int, value: "bytes | str | int") -> bytes:
        if isinstance(value, int):
            return bytes([number << 3, value])
        data = value.encode() if isinstance(value, str) else value
        length = struct.pack("BB", len(data) & 0x7F | 0x80, len(data) >> 7)  # up to 16383
        return bytes([number << 3 | 2]) + length + data

    def tensor(name: str) -> bytes:
        shape = b"".join(field(1, field(1, extent)) for extent in (8, 8))
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))

    matmul = field(1, "x") + field(1, "w") + field(2, "p") + field(4, "MatMul")
    relu = field(1, "p") + field(2, "y") + field(4, "Relu")
    weights = field(1, 8) + field(1, 8) + field(2, 1) + field(8, "w") + field(9, w.astype("<f4").tobytes())
    graph = field(1, matmul) + field(1, relu) + field(2, "job") + field(5, weights) + field(11, tensor("x")) + field(12, tensor("y"))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 17))
