# SPDX-License-Identifier: Apache-2.0
"""Captured jobs, run again."""

import os

from . import _kawara


def replay(capture: "str | os.PathLike", device: "str | None" = None) -> dict:
    """Runs a job that `InferenceSession.run` captured, or that was kept when it faulted, and says how what came of it differs.

    Args:
        capture: path of a .kwj file.
        device: as for `InferenceSession`; an emulator takes the capture's configuration where the name leaves it open. By default an
            emulator with the executor that ran the job.

    Returns:
        device, executor, computes_on: what ran it now.
        captured_fault, fault: in words, or ``""`` where the job ended well.
        captured_cycles, cycles: of the work clock; 0 after a fault.
        outputs: one row each, none after a fault: name, dtype, elements, different (elements with other bits), max_abs and max_ulp (the
            largest difference), tolerance (what max_abs may be), within (equal, or within it).
        bits_promised: whether the job promises the same bits here: it has no float sums, or runs on what ran it.
        relative_tolerance: otherwise, the tolerance of an output of floats as a share of its largest magnitude: by the depth and the
            number of its sums, and by what its products read in 16 bits, as if nothing made an error larger.
        equal: the same bits, or the same fault.
        as_promised: equal, or every output within its tolerance.

    Raises:
        Error: ``not_found``, ``invalid_capture``, ``version_mismatch`` (a file or a command set of another version),
            ``device_unavailable``, ``out_of_memory``.
    """
    return _kawara.replay(os.fspath(capture), device or "")
