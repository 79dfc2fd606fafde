# SPDX-License-Identifier: Apache-2.0
"""The command line: kawara run | replay | compile | explain | inspect | compare | profile | bench | devices | doctor | cache | help."""

import os
import sys

import typer

import kawara

from .commands import compare, machine, programs, replay, run, timing
from .errors import Error
from .terminal import complaints, console, show

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
                  help="Runs ONNX models on the K1 inference chip, or on its emulator.")
for name, command in (("run", run.run), ("replay", replay.replay), ("compile", programs.compile_model), ("explain", programs.explain), ("inspect", programs.inspect),
                      ("compare", compare.compare),
                      ("profile", timing.profile), ("bench", timing.bench), ("devices", machine.devices), ("doctor", machine.doctor),
                      ("cache", machine.cache), ("help", machine.help_command)):
    app.command(name)(command)


def _version(wanted: bool) -> None:
    if wanted:
        console.print(f"kawara {kawara.__version__}")
        raise typer.Exit()


@app.callback()
def _options(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version.")) -> None:
    pass


def main() -> None:
    """Entry point: shows Kawara's errors as text and ends quietly on Ctrl-C."""
    try:
        app()
    except Error as error:
        show(error)
        sys.exit(1)
    except KeyboardInterrupt:
        complaints.print("interrupted")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


if __name__ == "__main__":
    main()
