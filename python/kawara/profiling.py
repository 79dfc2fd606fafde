# SPDX-License-Identifier: Apache-2.0
"""Where a program's cycles go: rows for people, and a trace for a viewer such as Perfetto."""

from . import _kawara
from .session import Program

SOURCE = "the chip's cost model: what its work clock charges, not a measurement of silicon"


def profile(program: Program) -> dict:
    """What the work clock of the program's target charges for each command. Runs nothing.

    Returns:
        cycles: of the whole job; engines work side by side, so those of the commands add up to more.
        clock_mhz: of the target.
        engines: cycles that each was busy, by its name.
        commands: one row each, in the order of the command buffer: node, op, command, engine; start (cycles since the job's start),
            cycles (from there to its end), alone (what it would take without others beside it), bound (what it spends most of them
            on: start, compute, host, local or sram), host_bytes, local_bytes, sram_bytes, share (of the job's cycles, 0 to 1).

    Raises:
        Error: ``version_mismatch`` (a target or command set that this version does not know), ``invalid_program``.
    """
    result = _kawara.profile(program._native)
    for row in result["commands"]:
        row["share"] = row["cycles"] / result["cycles"] if result["cycles"] else 0.0
    return {"source": SOURCE, "target": program.target, **result}


def trace(profile: dict, model: str = "") -> dict:
    """A profile as a Chrome trace: a track for each engine, a slice for each command, times in microseconds of the target's clock."""
    clock = profile["clock_mhz"]
    name = f"{profile['target']}: {model}" if model else profile["target"]
    tracks = {engine: number for number, engine in enumerate(profile["engines"], 1)}
    events = [{"ph": "M", "pid": 1, "tid": 0, "ts": 0, "name": "process_name", "args": {"name": name}}]
    for engine, number in tracks.items():
        events.append({"ph": "M", "pid": 1, "tid": number, "ts": 0, "name": "thread_name", "args": {"name": engine}})
        events.append({"ph": "M", "pid": 1, "tid": number, "ts": 0, "name": "thread_sort_index", "args": {"sort_index": number}})
    for row in sorted(profile["commands"], key=lambda row: row["start"]):
        events.append({"ph": "X", "pid": 1, "tid": tracks[row["engine"]], "ts": row["start"] / clock, "dur": row["cycles"] / clock,
                       "name": row["node"] or row["command"], "cat": row["command"],
                       "args": {key: row[key] for key in ("op", "cycles", "alone", "bound", "host_bytes", "local_bytes", "sram_bytes")}})
    return {"displayTimeUnit": "ns", "otherData": {"source": profile["source"], "target": profile["target"], "clock_mhz": clock, "cycles": profile["cycles"]},
            "traceEvents": events}
