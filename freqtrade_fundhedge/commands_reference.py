"""The reference of the `fundhedge` command: what each command's own help says, in one file.

`python -m freqtrade_fundhedge.commands_reference docs/commands.md` writes it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import typer

from freqtrade_fundhedge.cli import COMMANDS, app

WIDTH: Final = 80
INTRODUCTION: Final = """\
# The `fundhedge` command

Written by `make docs` from the help of each command. Exit codes of all of them: 0 done, 1 something needs a person, 2 a
wrong usage or configuration, 130 interrupted. An error is one line on standard error, without secrets. Keys and all
else in the configuration can come from the environment, as for Freqtrade: `FREQTRADE__EXCHANGE__KEY`,
`FREQTRADE__FUNDHEDGE__TRANSFER__KEEP_USDT`.
"""


def help_of(name: str) -> str:
    """What `fundhedge NAME --help` prints, 80 columns wide."""
    group = typer.main.get_command(app)
    root = group.make_context("fundhedge", [], resilient_parsing=True)
    command = group.get_command(root, name)  # type: ignore[attr-defined]
    context = command.make_context(name, [], parent=root, resilient_parsing=True, terminal_width=WIDTH)
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def markdown() -> str:
    """The whole file."""
    parts = [f"## fundhedge {name}\n\n```\n{help_of(name)}\n```\n" for name in COMMANDS]
    return "\n".join([INTRODUCTION, *parts])


if __name__ == "__main__":
    for target in sys.argv[1:]:
        Path(target).parent.mkdir(exist_ok=True)
        Path(target).write_text(markdown(), encoding="utf-8")
