# SPDX-License-Identifier: Apache-2.0
"""Where the peers' Python packages lie: an environment for each, made by the first `./dev bench --peers`, out of .venv's way."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

# pnnx asks for PyTorch, several GiB that its converter of ONNX files never opens: so exactly these and nothing they ask for.
PACKAGES = {
    "ncnn:vulkan": ("--no-deps", "ncnn==1.0.20261020", "pnnx==20261020", "numpy==2.4.6"),
    "iree:vulkan": ("iree-base-compiler[onnx]==3.13.0", "iree-base-runtime==3.13.0", "numpy==2.4.6"),
}
INSTALL_SECONDS = 600


def python_of(peer: str, folder: Path) -> Path:
    """The interpreter that has the peer's packages. Throws RuntimeError with one line where they can't be installed."""
    place = folder / peer.replace(":", "-")
    stamp, wanted = place / "stamp", hashlib.sha256(repr((PACKAGES[peer], sys.version, str(place))).encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        _install(peer, place)
        stamp.write_text(wanted)
    return place / "bin" / "python"


def _install(peer: str, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    pip = [place / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in ([sys.executable, "-m", "venv", place], [*pip, *PACKAGES[peer]]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"can't be installed: took longer than {INSTALL_SECONDS} s") from None
        if done.returncode != 0:
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise RuntimeError(f"can't be installed: {said[-1] if said else 'without a word'}")
