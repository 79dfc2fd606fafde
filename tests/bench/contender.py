# SPDX-License-Identifier: Apache-2.0
"""One engine with one model, in a process of its own: so that memory, threads and first runs are its own too.

    contender.py ENGINE MODEL FEEDS.npz OUTPUTS.npz

ENGINE is `onnxruntime` or a Kawara device, e.g. `emulator:vulkan`. Prints one JSON object a line: first what it took to get
ready, then, for each line that it reads, the milliseconds of one run; at the end of its input the peak of its memory.
"""

import json
import os
import resource
import sys
import time

import numpy as np


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
    names = [output.name for output in session.get_outputs()]
    return lambda: dict(zip(names, session.run(None, feeds))), {"compile_s": load_s, "load_s": 0.0}


def open_kawara(device: str, model: str, feeds: dict):
    import kawara
    program, compile_s = seconds_of(lambda: kawara.compile(model, shapes={name: array.shape for name, array in feeds.items()}))
    session, load_s = seconds_of(lambda: kawara.InferenceSession(program, device))
    names = [output.name for output in session.get_outputs()]
    return lambda: dict(zip(names, session.run(None, feeds))), {"compile_s": compile_s, "load_s": load_s}


def say(row: dict) -> None:
    print(json.dumps(row), flush=True)


def main() -> int:
    engine, model, feeds_path, outputs_path = sys.argv[1:]
    with np.load(feeds_path) as file:
        feeds = {name: file[name] for name in file.files}
    try:
        run, row = open_onnxruntime(model, feeds) if engine == "onnxruntime" else open_kawara(engine, model, feeds)
        outputs, first_s = seconds_of(run)
    except Exception as error:  # a contender that fails is shown as failing, whatever it threw
        say({"failed": f"{type(error).__name__}: {error}".splitlines()[0]})
        return 1
    np.savez(outputs_path, **outputs)
    say({**row, "first_run_ms": first_s * 1e3})
    for _ in sys.stdin:
        say({"run_ms": seconds_of(run)[1] * 1e3})
    say({"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
    return 0


if __name__ == "__main__":
    sys.exit(main())
