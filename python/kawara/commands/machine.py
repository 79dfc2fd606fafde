# SPDX-License-Identifier: Apache-2.0
"""kawara devices | doctor | cache | help: what this machine has for Kawara."""

from typing import Optional

import typer

import kawara

from .. import _kawara, doctor as doctor_module
from ..errors import Error
from ..progress import Progress
from ..report import size_text
from ..terminal import JsonOption, console, escape, print_json, print_table


def devices(json: bool = JsonOption):
    """The devices of this machine."""
    rows = kawara.devices()
    if json:
        print_json(rows)
        return
    print_table(["device", "kind", "config", "local memory", "SRAM"],
                [[r["name"], r["kind"], r["config"], size_text(r["local_bytes"]), size_text(r["sram_bytes"])] for r in rows],
                right=("local memory", "SRAM"))


def doctor(json: bool = JsonOption):
    """What this machine has, lacks, and what to do. The exit status is 1 when the default device does not work."""
    with Progress("looking at this machine"):
        findings = doctor_module.examine()
    if json:
        print_json({"usable": doctor_module.usable(findings), "findings": doctor_module.rows(findings)})
    else:
        colours = {"ok": "green", "warning": "yellow", "problem": "bold red", "unchecked": "dim"}
        for finding in findings:
            code = f" ({finding.code})" if finding.code else ""
            console.print(f"[{colours[finding.state]}]{finding.state:<9}[/] [bold]{escape(finding.check)}[/]: {escape(finding.message)}{code}")
            if finding.remedy:
                console.print(f"          remedy: {escape(finding.remedy)}")
        console.print("[bold green]usable[/]" if doctor_module.usable(findings) else "[bold red]not usable[/]: the default device does not work")
    if not doctor_module.usable(findings):
        raise typer.Exit(1)


def cache(clear: bool = typer.Option(False, "--clear", help="Empty it."), json: bool = JsonOption):
    """The folder of compiled programs. Its place, and what it holds of them, of shaders and of the last jobs that faulted."""
    folder = _kawara.cache_folder()
    use = _kawara.clear_cache() if clear else _kawara.cache_use()
    faults = _kawara.fault_folder()
    limits = dict(zip(("program_bytes_max", "shader_bytes_max", "fault_bytes_max"), _kawara.cache_limits()))
    if json:
        print_json({"folder": str(folder) if folder else None, "fault_folder": str(faults) if faults else None, "cleared": clear, **use, **limits})
        return
    console.print("the cache is off" if folder is None else f"[bold]{escape(str(folder))}[/]" + (": emptied, of" if clear else ""))
    kinds = [*([("programs", "program"), ("shaders", "shader")] if folder else []), *([("faults", "fault")] if faults else [])]
    if kinds:
        print_table(["", "files", "size", "at most"], [[kind, use.get(kind, ""), size_text(use[f"{one}_bytes"]), size_text(limits[f"{one}_bytes_max"])]
                                                       for kind, one in kinds], right=("files", "size", "at most"))
    if faults and (folder is None or faults.parent != folder):
        console.print(f"faults are kept in [bold]{escape(str(faults))}[/]")


def help_command(context: typer.Context, topic: Optional[str] = typer.Argument(None, help="environment: the variables that Kawara reads."), json: bool = JsonOption):
    """This text. `kawara help environment`: the variables that Kawara reads."""
    if topic is None:
        console.print(context.parent.get_help(), markup=False)
        return
    if topic != "environment":
        raise Error(f"there is no help on '{topic}'; there is on 'environment'", code="not_found", remedy="`kawara help` lists the commands")
    rows = [dict(zip(("name", "value", "default", "meaning"), row)) for row in _kawara.variables()]
    if json:
        print_json(rows)
        return
    print_table(["variable", "here", "default", "meaning"], [[row["name"], row["value"], row["default"], row["meaning"]] for row in rows])
