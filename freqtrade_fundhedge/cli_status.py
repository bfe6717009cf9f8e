"""The `status` command: what is open, what is unknown, and whether a person is needed."""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from freqtrade_fundhedge.cli_common import ConfigOption, JsonOption, load
from freqtrade_fundhedge.cli_journal_file import Place, opened, place, stranger_note
from freqtrade_fundhedge.cli_status_exchange import Exchange, lines
from freqtrade_fundhedge.cli_status_exchange import as_json as reading_as_json
from freqtrade_fundhedge.cli_status_view import Shown, view
from freqtrade_fundhedge.errors import JournalError, VenueError, in_words
from freqtrade_fundhedge.journal_rows import iso
from freqtrade_fundhedge.status import Status, read_status

WIDTH = 80  # of output that goes into a file or a pipe
NEEDS_A_PERSON = 1


def status_command(
    config: ConfigOption = None,
    watch: Annotated[
        int | None,
        typer.Option(metavar="SECONDS", help="Show it again and again, until Ctrl-C.", min=1, max=86_400),
    ] = None,
    exchange: Annotated[
        bool, typer.Option("--exchange", help="Also ask the exchange: both legs, prices, margin, wallets.")
    ] = False,
    as_machine: JsonOption = False,
) -> None:
    """Show open hedges, transfers and what is unknown, from the bot's journal.

    Nothing is written and, without --exchange, nothing asked of the exchange: safe beside a running bot. Exit code 1
    when something needs a person: an outcome unknown or a hedge unhedged for more than 10 minutes, a call that still
    stands, or an exchange that can't be read.

    \b
    Examples:
      fundhedge status -c config.json
      fundhedge status -c config.json --exchange --watch 10
      fundhedge status -c config.json --json
    """
    loaded = load(config)
    where, beyond = place(loaded), Exchange(loaded, quiet=watch is not None) if exchange else None
    look = _Look(where, beyond, as_machine, one_line=watch is not None)
    raise typer.Exit(_once(look) if watch is None else _again_and_again(look, watch))


@dataclass
class _Look:
    """One look after the other at the same journal and exchange; `text` is for machines, a line each or more."""

    where: Place
    beyond: Exchange | None
    as_machine: bool
    one_line: bool

    def __call__(self, verdict_first: bool = False) -> tuple[str | Group, int]:
        """What to show, and the exit code."""
        reading, trouble, beyond = None, "", self.beyond
        with opened(self.where) as journal:
            now = time.time()
            status = read_status(journal, now)
            note = stranger_note(journal)
            if beyond is not None:
                try:
                    reading = beyond.look(journal, now)
                except VenueError as error:
                    trouble = f"the exchange can't be read: {in_words(str(error))}"
        code = NEEDS_A_PERSON if status.reasons or trouble else 0
        if self.as_machine:
            answer = _as_json(status, self.where)
            if beyond is not None:
                answer["exchange"] = reading_as_json(reading) if reading is not None else {"error": trouble}
            return json.dumps(answer, default=str, indent=None if self.one_line else 2), code
        told = list(lines(reading, beyond.stake)) if beyond and reading else [trouble]
        return view(Shown(status, self.where.shown, note, told), verdict_first), code


def _once(look: _Look) -> int:
    found, code = look()
    _show(found)
    return code


def _show(found: str | Group) -> None:
    if isinstance(found, str):
        typer.echo(found)
    else:
        _console().print(found)
    sys.stdout.flush()


def _again_and_again(look: _Look, seconds: int) -> int:
    """Until Ctrl-C: on a screen of its own, of which the last picture stays, or one below the other in a file."""
    screen, code, found = _console(), 0, None
    on_screen = screen.is_terminal and not look.as_machine
    with _screen(screen) if on_screen else nullcontext() as live, suppress(KeyboardInterrupt):
        while True:
            try:
                found, code = look(verdict_first=on_screen)
                _show(found) if live is None else live.update(found, refresh=True)
            except JournalError as error:  # it may be there the next time: the bot restarts, too
                code, text = NEEDS_A_PERSON, f"fundhedge: {error}"
                typer.echo(text, err=True) if live is None else live.update(Text(text, style="bold red"), refresh=True)
            time.sleep(seconds)
    if on_screen and found is not None:
        _show(found)
    return code


def _screen(screen: Console) -> Live:
    return Live(console=screen, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH)


def _as_json(status: Status, where: Place) -> dict[str, Any]:
    hedges = [
        {**_exact(asdict(h.row)), "delta": f"{h.delta:f}", "balance": h.balance, "unhedged_s": round(h.unhedged_s, 1)}
        for h in status.hedges
    ]
    unknown = [
        {
            "kind": u.kind,
            "text": u.text,
            "age_s": round(u.age_s, 1),
            "waiting_for": u.waiting_for,
            **_exact(asdict(u.row)),
        }
        for u in status.unknown
    ]
    return {
        "at": iso(status.at),
        "bot": status.bot,
        "journal": where.shown,
        "last_event_at": status.last_event_at or None,
        "needs_a_person": list(status.reasons),
        "hedges": hedges,
        "closed": [_exact(asdict(row)) for row in status.closed],
        "unknown": unknown,
        "guard": [_exact(asdict(step)) for step in status.steps],
        "transfers": [_exact(asdict(row)) for row in status.transfers],
        "attention": [{**asdict(call.row), "open": call.is_open} for call in status.calls],
    }


def _exact(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in fields.items()}
