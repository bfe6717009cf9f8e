"""The `init` command: what a user folder of Freqtrade's needs, put there without touching what is there already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from freqtrade_fundhedge.cli_common import JsonOption, print_json
from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.starter_files import STARTERS, Starter

WRITTEN: Final = "written"
SAME: Final = "there already, the same"
KEPT: Final = "kept: yours differs from the one of this release"


def init_command(
    userdir: Annotated[
        Path,
        typer.Option("--userdir", "--user-data-dir", metavar="DIR", help="Freqtrade's user folder; made if need be."),
    ] = Path("user_data"),
    as_machine: JsonOption = False,
) -> None:
    """Put strategy, hyperopt loss and an example configuration into Freqtrade's user folder.

    Nothing that is there is overwritten. Exit code 0 whatever was there; 2 when the folder can't be written.

    \b
    Examples:
      fundhedge init
      fundhedge init --userdir ~/bot/user_data
    """
    done = {str(userdir / starter.place): _put(userdir, starter) for starter in STARTERS}
    if as_machine:
        print_json({"userdir": str(userdir), "files": done})
        return
    for path, what in done.items():
        typer.echo(f"{path}: {what}")
    typer.echo("\n" + _next(userdir))


def _put(userdir: Path, starter: Starter) -> str:
    path = userdir / starter.place
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # "x" also loses to a file that appears at this very moment.
        with path.open("xb") as file:
            file.write(starter.content)
    except FileExistsError:
        return _compared(path, starter)
    except OSError as error:
        raise ConfigError(f"--userdir: {path} can't be written: {(error.strerror or str(error)).lower()}") from None
    return WRITTEN


def _compared(path: Path, starter: Starter) -> str:
    try:
        return SAME if path.read_bytes() == starter.content else KEPT
    except OSError as error:
        raise ConfigError(f"--userdir: {path} can't be read: {(error.strerror or str(error)).lower()}") from None


def _next(userdir: Path) -> str:
    config = userdir / STARTERS[-1].place
    option = "" if userdir == Path("user_data") else f" --userdir {userdir}"
    return (
        "What to do next:\n"
        f"  1. Look through {config}; it is a dry-run on Binance.\n"
        f"  2. fundhedge doctor -c {config}\n"
        f"  3. freqtrade trade -c {config}{option}"
    )
