# SPDX-License-Identifier: Apache-2.0
"""From nothing to a model's first output, once: cold_process.py BEGIN MODEL FEEDS.npz [recall]

BEGIN is what time.monotonic() said when this process was started. With `recall` the session takes the compiled program from
the cache folder, or compiles and keeps it there. Prints one JSON object: the seconds, of the whole and of its parts.
"""

import json
import sys
import time


def main() -> int:
    begin = float(sys.argv[1])
    model, feeds_path, *recall = sys.argv[2:]
    import numpy as np
    import kawara
    with np.load(feeds_path) as file:
        feeds = {name: file[name] for name in file.files}
    times, shapes = [time.monotonic()], {name: array.shape for name, array in feeds.items()}
    program = model if recall else kawara.compile(model, shapes=shapes)
    times.append(time.monotonic())
    session = kawara.InferenceSession(program, "emulator:vulkan", **({"shapes": shapes} if recall else {}))
    times.append(time.monotonic())
    session.run(None, feeds)
    times.append(time.monotonic())
    parts = [after - before for before, after in zip([begin, *times], times)]
    row = dict(zip(("import_s", "compile_s", "session_s", "first_run_s"), parts), total_s=times[-1] - begin)
    if recall:
        row["session_s"] += row.pop("compile_s")  # the session compiles or recalls
    print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
