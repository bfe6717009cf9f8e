"""The `fundhedge` command. Exit codes: 0 done, 1 something needs a person, 2 bad usage or configuration."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import typer
from typer.core import TyperGroup

from freqtrade_fundhedge.errors import ConfigError, FundHedgeError

DONE: Final = 0
NEEDS_A_PERSON: Final = 1
BAD_USAGE: Final = 2
INTERRUPTED: Final = 130
CUT_OFF: Final = 141
"""What a shell shows for a program whose reader, such as `head`, has gone."""

# Name of the command: module and function. Loaded when it is run or listed, so that each pays for its own imports.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "init": ("freqtrade_fundhedge.cli_init", "init_command"),
    "doctor": ("freqtrade_fundhedge.cli_doctor", "doctor_command"),
    "demo": ("freqtrade_fundhedge.demo.command", "demo_command"),
    "download": ("freqtrade_fundhedge.cli_download", "download_command"),
    "status": ("freqtrade_fundhedge.cli_status", "status_command"),
    "journal": ("freqtrade_fundhedge.cli_journal", "journal_command"),
    "settle": ("freqtrade_fundhedge.cli_settle", "settle_command"),
    "sweep": ("freqtrade_fundhedge.cli_sweep", "sweep_command"),
    "scan": ("freqtrade_fundhedge.cli_scan", "scan_command"),
    "report": ("freqtrade_fundhedge.cli_report", "report_command"),
    "sandbox": ("freqtrade_fundhedge.sandbox.command", "sandbox_command"),
}


class _LazyGroup(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *(name for name, (module, _) in COMMANDS.items() if _there(module))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        known = super().get_command(ctx, cmd_name)
        if known is not None or cmd_name not in self.list_commands(ctx):
            return known
        module, function = COMMANDS[cmd_name]
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name)(getattr(importlib.import_module(module), function))
        return typer.main.get_command(single)


def _there(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fundhedge {importlib.metadata.version('freqtrade-fundhedge')}")
        raise typer.Exit


app = typer.Typer(name="fundhedge", cls=_LazyGroup, add_completion=False, rich_markup_mode=None)


@app.callback()
def _fundhedge(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Hedged funding carry for Freqtrade: look at it, check it, try it."""


def run(arguments: Sequence[str], application: typer.Typer = app) -> int:
    """Run a command line and return its exit code; whatever a user can cause ends in one line on standard error.

    Parameters
    ----------
    arguments : without the program's name; none at all shows the help
    application : the commands to choose from
    """
    try:
        outcome = typer.main.get_command(application).main(
            args=list(arguments) or ["--help"], prog_name="fundhedge", standalone_mode=False
        )
    except typer.TyperException as error:
        return _say(f"{error.format_message()} (fundhedge --help lists what there is)", error.exit_code)
    except ConfigError as error:
        return _say(str(error), BAD_USAGE)
    except BrokenPipeError:
        return _cut_off()
    except SystemExit as left:
        if isinstance(left.__context__, BrokenPipeError):  # rich's way to leave then
            return _cut_off()
        raise
    except (FundHedgeError, OSError) as error:
        return _say(str(error), NEEDS_A_PERSON)
    except (typer.Abort, KeyboardInterrupt):
        return _say("interrupted", INTERRUPTED)
    return outcome if isinstance(outcome, int) else DONE


def _say(message: str, code: int) -> int:
    typer.echo("fundhedge: " + " ".join(message.split()), err=True)
    return code


def _cut_off() -> int:
    """Nobody reads on: what is still in the buffer goes nowhere, or Python would complain when it ends."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):
            stream.flush()
            continue
        _discard(stream)
    return CUT_OFF


def _discard(stream: TextIO) -> None:
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def _finished(arguments: Sequence[str]) -> int:
    """Run it, and see that all of its output has arrived."""
    try:
        code = run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # standard error may have no reader either
        return _cut_off()
    except OSError as error:
        _discard(sys.stdout)
        return _say(f"the output could not be written: {error.strerror}", NEEDS_A_PERSON)
    return code


def main() -> None:
    """Entry point of the console script."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # started with it closed
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
    # A library that logs without a handler would print to standard error, beside our one line.
    logging.getLogger().addHandler(logging.NullHandler())
    sys.exit(_finished(sys.argv[1:]))
