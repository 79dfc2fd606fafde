# SPDX-License-Identifier: Apache-2.0
"""One engine with one model, in a process of its own: so that memory, threads and first runs are its own too.

    contender.py ENGINE MODEL FEEDS.npz OUTPUTS.npz [VULKAN_DEVICE]

ENGINE is `onnxruntime`, a Kawara device, e.g. `emulator:vulkan`, or a peer, which computes on the Vulkan device of that name.
Prints one JSON object a line: what it took to get ready; the first run; then, for each line that it reads, the milliseconds
of one run; at the end of its input the peak of its memory.
"""

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

# each has open(model, feeds, device) -> (run, {"compile_s", "load_s"}), where run() gives the outputs by name or in order
PEERS = {"ncnn:vulkan": "ncnn_vulkan", "iree:vulkan": "iree_vulkan"}


def seconds_of(action):
    """What the action returned, and how long it took."""
    begin = time.perf_counter()
    result = action()
    return result, time.perf_counter() - begin


def open_onnxruntime(model: str, feeds: dict):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    session, load_s = seconds_of(lambda: onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]))
    return lambda: session.run(None, feeds), {"compile_s": load_s, "load_s": 0.0}


def open_kawara(device: str, model: str, feeds: dict):
    import kawara
    program, compile_s = seconds_of(lambda: kawara.compile(model, shapes={name: array.shape for name, array in feeds.items()}))
    session, load_s = seconds_of(lambda: kawara.InferenceSession(program, device))
    return lambda: session.run(None, feeds), {"compile_s": compile_s, "load_s": load_s}


def open_engine(engine: str, model: str, feeds: dict, vulkan_device: str):
    if engine in PEERS:
        return importlib.import_module(PEERS[engine]).open(model, feeds, vulkan_device)
    return open_onnxruntime(model, feeds) if engine == "onnxruntime" else open_kawara(engine, model, feeds)


def main() -> int:
    engine, model, feeds_path, outputs_path, *vulkan_device = sys.argv[1:]
    # what a peer prints for people is not an answer
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(row: dict) -> None:
        print(json.dumps(row), file=answers, flush=True)

    with np.load(feeds_path) as file:
        feeds = {name: file[name] for name in file.files}
    try:
        run, row = open_engine(engine, model, feeds, *vulkan_device or [""])
        say(row)
        outputs, first_s = seconds_of(run)
        np.savez(outputs_path, *outputs)
        say({"first_run_ms": first_s * 1e3})
        for _ in sys.stdin:
            say({"run_ms": seconds_of(run)[1] * 1e3})
    except Exception as error:  # a contender that fails is shown as failing, whatever it threw
        say({"failed": f"{type(error).__name__}: {error}".splitlines()[0]})
        return 1
    # its own, or a compiler's that it started. Its own is not getrusage's: that begins with what the parent held.
    own_kib = next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    peak_kib = max(own_kib, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    say({"peak_mib": peak_kib / 1024})
    return 0


if __name__ == "__main__":
    sys.exit(main())
