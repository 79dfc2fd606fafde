# SPDX-License-Identifier: Apache-2.0
"""What a repeated run costs beside the Vulkan executor, and beside Vulkan's own work: by the program build/release/bin/replay."""

import json
import subprocess
import tempfile
from pathlib import Path

SECONDS_MAX = 120


def replay(program: Path, model: Path, shapes: dict, runs: int) -> dict:
    import kawara
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "model.kwr"
        try:
            kawara.compile(model, shapes=shapes).save(compiled)
            done = subprocess.run([program, compiled, str(runs)], capture_output=True, text=True, timeout=SECONDS_MAX)
        except kawara.Error as error:
            return {"failed": str(error).splitlines()[0]}
        except subprocess.TimeoutExpired:
            return {"failed": f"took longer than {SECONDS_MAX} s"}
        if done.returncode != 0:
            return {"failed": (done.stderr.strip() or f"ended with status {done.returncode}").splitlines()[-1]}
        return json.loads(done.stdout)
