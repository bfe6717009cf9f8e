"""The `journal` command: the audit trail, for people, for machines and for the tax office."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from freqtrade_fundhedge.cli_common import ConfigOption, JsonOption, load
from freqtrade_fundhedge.cli_journal_file import opened, place, stranger_note
from freqtrade_fundhedge.cli_journal_tax import COLUMNS, executed, flat, print_executed
from freqtrade_fundhedge.cli_progress import waiting
from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_trail import RECORDS, Entry, Wish, newest, trail
from freqtrade_fundhedge.trail_text import lines

WIDTH = 80  # of output that goes into a file or a pipe
TABLE_ROWS = 50
MOST_ROWS = 100_000
HEADERS: Final = {b"record,at", b"at,type", b""}
_PAIR: Final = re.compile(r"[\w.-]{1,40}/[\w.-]{1,40}(:[\w.-]{1,40})?")


class Kind(StrEnum):
    """What `--kind` takes; an order is one on spot or a close of a short that Freqtrade does not know."""

    ORDER = "order"
    TRANSFER = "transfer"
    MARGIN = "margin"
    EVENT = "event"
    HEDGE = "hedge"


SinceOption = Annotated[str, typer.Option(metavar="DATE", help="From this ISO date or time on, UTC.")]
UntilOption = Annotated[str, typer.Option(metavar="DATE", help="Up to this date, the day included, or time.")]
PairOption = Annotated[
    str, typer.Option(metavar="PAIR", help="One pair: BTC/USDT:USDT or BTC/USDT. Without transfers.")
]
KindOption = Annotated[
    list[Kind] | None, typer.Option(metavar="KIND", help="order, transfer, margin, event or hedge; repeatable.")
]
LimitOption = Annotated[
    int | None,
    typer.Option(
        metavar="ROWS", help="The newest only. Default: 50 in the table, all elsewhere.", min=1, max=MOST_ROWS
    ),
]


def journal_command(
    config: ConfigOption = None,
    since: SinceOption = "",
    until: UntilOption = "",
    pair: PairOption = "",
    kind: KindOption = None,
    limit: LimitOption = None,
    tax: Annotated[bool, typer.Option("--tax", help="Executed things only, with fees, cost and gain.")] = False,
    csv_file: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write all columns to a file.")] = None,
    as_machine: JsonOption = False,
) -> None:
    """List what the bot recorded: orders, transfers with every attempt and answer, closes, events, hedges.

    Reads the journal only: safe beside a running bot. A hedge counts on the day it was closed.

    \b
    Examples:
      fundhedge journal -c config.json --kind transfer --limit 10
      fundhedge journal -c config.json --pair BTC/USDT --since 2026-03-01
      fundhedge journal -c config.json --tax --since 2026-01-01 --csv 2026.csv
    """
    wish = wish_of(since, until, pair, kind or [])
    if tax and kind:
        raise ConfigError("--kind and --tax: the rows of --tax are of all kinds")
    if csv_file is not None:
        _check_target(csv_file)
    with opened(place(load(config))) as journal:
        if csv_file is not None:
            try:
                count = _write_csv(csv_file, _rows(journal, wish, limit, tax), COLUMNS if tax else _columns(wish))
            except OSError as error:
                raise ConfigError(f"--csv {csv_file}: {(error.strerror or type(error).__name__).lower()}") from None
            typer.echo(f"{count} records written to {csv_file}", err=as_machine)
        if as_machine:
            # On a terminal the records themselves show how far it is.
            with nullcontext() if sys.stdout.isatty() else waiting("reading the journal"):
                sys.stdout.writelines(_json_pieces(_rows(journal, wish, limit, tax)))
        elif csv_file is None:
            (print_executed if tax else _print)(journal, wish, limit or TABLE_ROWS)


def wish_of(since: str, until: str, pair: str, kinds: Iterable[Kind]) -> Wish:
    """The options as a question to the journal.

    Raises
    ------
    ConfigError : one line that names the option
    """
    chosen = frozenset(str(kind) for kind in kinds)
    if pair and not _PAIR.fullmatch(pair):
        raise ConfigError(f"--pair {pair!r}: a pair like BTC/USDT:USDT or BTC/USDT is expected")
    if pair and chosen == {"transfer"}:
        raise ConfigError("--pair and --kind transfer: a transfer belongs to no pair")
    first, end = _time("--since", since, later=False), _time("--until", until, later=True)
    if first and end and first >= end:
        raise ConfigError(f"--since {since} is not before --until {until}")
    if "order" in chosen:
        chosen |= {"close"}
    return Wish(chosen, first, end, pair)


def _time(option: str, text: str, later: bool) -> str:
    """ISO text as the journal writes it; a day as an end is its last instant's successor."""
    if not text:
        return ""
    try:
        given = datetime.fromisoformat(text)
        at = given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
        if later:
            at += timedelta(days=1) if len(text) <= len("2026-12-31") else timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise ConfigError(f"{option} {text!r}: a date like 2026-12-31 or 2026-12-31T18:00 is expected") from None
    return at.isoformat(timespec="microseconds")


def _rows(journal: Journal, wish: Wish, limit: int | None, tax: bool) -> Iterable[Mapping[str, object]]:
    if tax:
        return map(flat, executed(journal, wish, limit))
    if limit is None:
        return map(_flat, trail(journal.engine, journal.bot, wish))
    return map(_flat, newest(journal.engine, journal.bot, wish, limit))


def _json_pieces(rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """An array with a record a line, made while the database is read."""
    lead = "[\n"
    for row in rows:
        yield lead + json.dumps(row, default=str)
        lead = ",\n"
    yield "[]\n" if lead == "[\n" else "\n]\n"


def _flat(entry: Entry) -> dict[str, Any]:
    values = asdict(entry.row)
    exact = {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in values.items()}
    return {"record": entry.record, "at": entry.at, **exact}


def _check_target(target: Path) -> None:
    """An export may replace an older one, and nothing else: least of all a journal or a device."""
    try:
        there = target.exists()
        ours = not there or (target.is_file() and _first_line(target) in HEADERS)
    except (OSError, ValueError):  # ValueError: a name that no file system takes
        raise ConfigError(f"--csv {target}: no file can be there") from None
    if not target.name or not ours:
        raise ConfigError(f"--csv {target}: something else is there; choose another name")


def _first_line(path: Path) -> bytes:
    with path.open("rb") as file:
        return b",".join(file.readline(200).split(b",")[:2])


def _columns(wish: Wish) -> Sequence[str]:
    wanted = [kind for name, kind in RECORDS.items() if not wish.records or name in wish.records]
    return list(dict.fromkeys(["record", "at", *(field.name for kind in wanted for field in fields(kind))]))


def _write_csv(target: Path, rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> int:
    """Write beside the target, then rename: an export is never half there."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    count = 0
    try:
        with beside.open("w", encoding="utf-8", newline="") as file, waiting("exporting") as tell:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            for count, row in enumerate(rows, 1):
                writer.writerow({name: _cell(value) for name, value in row.items()})
                if count % 1000 == 0:
                    tell(count)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return count


def _cell(value: object) -> object:
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else value


def _print(journal: Journal, wish: Wish, limit: int) -> None:
    out = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH)
    found = newest(journal.engine, journal.bot, wish, limit + 1)
    if not found:
        out.print(stranger_note(journal) or "Nothing in the journal fits.")
        return
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("UTC", "record"):
        table.add_column(name, no_wrap=True)
    table.add_column("what", overflow="fold")
    for entry in found[-limit:]:
        table.add_row(entry.at[:19].replace("T", " "), entry.record, Text("\n".join(lines(entry))))
    out.print(table)
    if len(found) > limit:
        out.print(f"\nThe newest {limit} only: --limit shows more, --csv and --json all.")
