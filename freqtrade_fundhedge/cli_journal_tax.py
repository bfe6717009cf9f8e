"""`fundhedge journal --tax`: executed things only, in columns that do not change."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from decimal import Decimal
from typing import Final

from rich.console import Console
from rich.table import Table

from freqtrade_fundhedge.cli_progress import waiting
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_trail import Wish, trail
from freqtrade_fundhedge.tax_rows import TaxRow, tax_rows
from freqtrade_fundhedge.trail_text import coins

WIDTH = 80
COLUMNS: Final = tuple(field.name for field in fields(TaxRow))
EXECUTED: Final = frozenset({"order", "close", "transfer", "hedge"})


def executed(journal: Journal, wish: Wish, limit: int | None) -> Iterable[TaxRow]:
    """The rows of a wish. All of the journal is read: first in, first out needs the first."""
    found = (row for row in tax_rows(trail(journal.engine, journal.bot, Wish(EXECUTED))) if _fits(row, wish))
    return found if limit is None else deque(found, limit)


def flat(row: TaxRow) -> Mapping[str, object]:
    """All columns; amounts as exact text."""
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in asdict(row).items()}


def print_executed(journal: Journal, wish: Wish, limit: int) -> None:
    """For people: the columns that fit on a screen."""
    out = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH)
    with waiting("reading the journal"):
        rows = list(executed(journal, wish, limit + 1))
    if not rows:
        out.print("Nothing that was executed fits.")
        return
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("UTC", "type", "amount", "quote", "fee", "gain"):
        table.add_column(name, justify="left" if name in {"UTC", "type"} else "right", overflow="fold")
    for row in rows[-limit:]:
        table.add_row(row.at[:16].replace("T", " "), row.type, *_cells(row))
    out.print(table)
    if len(rows) > limit:
        out.print(f"\nThe newest {limit} only: --limit shows more, --csv and --json all.")


def _cells(row: TaxRow) -> Iterator[str]:
    yield f"{coins(row.amount)} {row.asset}"
    yield coins(round(row.quote_amount, 4)) if row.quote_amount is not None else ""
    yield f"{coins(row.fee)} {row.fee_asset or ''}" if row.fee is not None else ""
    yield f"{row.gain:+.4f}" if row.gain is not None else ""


def _fits(row: TaxRow, wish: Wish) -> bool:
    if (wish.since and row.at < wish.since) or (wish.until and row.at >= wish.until):
        return False
    return not wish.pair or row.market.partition(":")[0] == wish.pair.partition(":")[0]
