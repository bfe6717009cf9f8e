"""What a loop costs does not depend on how long the past is, how many pairs are listed, or how many hedges are open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks.rows import markdown, row
from benchmarks.wide import Wide, pair_of
from freqtrade_fundhedge.core.intents import Move
from freqtrade_fundhedge.venue.port import Direction, Side

GROWING = ("hedges", "spot_orders", "transfers", "events")


def counted(folder: Path, hedges: int, past: int, listed: int) -> list[tuple[int, int]]:
    """Requests and SQL statements of each of some quiet loops."""
    folder.mkdir()
    wide = Wide(folder, hedges, past, listed)
    wide.settle()
    found = []
    for _ in range(12):
        before = wide.venue.asked
        with wide.statements() as sql:
            wide.loop()
        found.append((wide.venue.asked - before, len(sql.seen)))
    wide.bot.close()
    return found


@pytest.mark.parametrize(("hedges", "past", "listed"), [(30, 0, 10), (1, 2000, 10), (1, 0, 300), (30, 2000, 300)])
def test_a_quiet_loop_costs_the_same(tmp_path: Path, hedges: int, past: int, listed: int) -> None:
    """Two requests and the same SQL statements, whatever there is of hedges, past and markets."""
    least = counted(tmp_path / "least", 1, 0, 10)
    assert counted(tmp_path / "more", hedges, past, listed) == least
    assert {requests for requests, _ in least} == {2}


def statements_of_a_life(wide: Wide) -> Iterator[tuple[str, object]]:
    """All SQL from a start to the sweep of an exit."""
    with wide.statements() as sql:
        wide.settle()
        wide.enter(7)
        wide.loop()
        wide.leave()
        wide.loop()
    yield from sql.seen


def test_nothing_reads_the_whole_past(tmp_path: Path) -> None:
    """By the database's own plans no statement of a start, an entry, an exit or a loop walks through a whole table."""
    wide = Wide(tmp_path, 3, 3000)
    sent = [(text, values) for text, values in statements_of_a_life(wide) if not text.lower().startswith("pragma")]
    assert wide.venue.sent == {"order": 5, "transfer": 1}
    with closing(sqlite3.connect(wide.path)) as db:
        plans = {(row[3], text) for text, values in sent for row in db.execute(f"explain query plan {text}", values)}
    assert [plan for plan in plans if plan[0].startswith(tuple(f"SCAN {table}" for table in GROWING))] == []
    assert len(sent) > 40
    wide.bot.close()


def test_a_clean_sweep_is_one_read_and_one_send(tmp_path: Path) -> None:
    """An exit reads the book it sells into and the balance it sweeps; the sale and the sweep are sent once."""
    wide = Wide(tmp_path, 2)
    wide.settle()
    wide.time += 60  # no book is fresh any more
    asked, sent = wide.venue.asked, dict(wide.venue.sent)
    wide.close_oldest()
    assert wide.venue.asked - asked == 2
    assert wide.venue.sent["order"] == sent["order"] + 1
    assert wide.venue.sent["transfer"] == 1
    assert wide.venue.withdrawable() < Decimal(1)
    wide.bot.close()


def test_open_hedges_are_read_anew_after_each_change(tmp_path: Path) -> None:
    """What a loop remembers of the journal is never older than the journal."""
    wide = Wide(tmp_path, 2)
    wide.settle()
    journal = wide.bot.ctx.journal
    with wide.statements() as sql:
        first = journal.unsettled()
        assert journal.unsettled() == first
    assert len(sql.seen) <= 1
    changed = journal.note_hedge(first[0].id, state="failed")
    assert journal.unsettled()[0] == changed
    wide.enter(5)
    assert pair_of(5) in {hedge.pair for hedge in journal.unsettled()}
    wide.bot.close()


def test_what_another_process_writes_is_read_in_the_next_loop(tmp_path: Path) -> None:
    """A quiet loop reads nothing twice that is as it was, and misses nothing that a tool beside the bot has changed."""
    wide = Wide(tmp_path, 2)
    wide.settle()
    journal = wide.bot.ctx.journal
    with wide.statements() as sql:
        wide.loop()
    assert len(sql.seen) == 1
    first = journal.unsettled()[0]
    assert journal.failed() == frozenset()
    with closing(sqlite3.connect(wide.path)) as db:
        db.execute("update hedges set state = 'failed' where id = ?", (first.id,))
        db.execute("update spot_orders set state = 'unknown' where hedge_id = ?", (first.id,))
        db.commit()
    asked = wide.venue.asked
    wide.loop()
    assert wide.venue.asked > asked + 2  # the order is looked up
    assert journal.failed() == {first.pair}
    wide.bot.close()


def test_what_the_bot_itself_writes_is_waited_for_at_once(tmp_path: Path) -> None:
    """Nothing is remembered as settled across a write of one's own."""
    wide = Wide(tmp_path, 1)
    wide.settle()
    journal = wide.bot.ctx.journal
    assert journal.open_orders() == journal.open_transfers() == []
    row = journal.begin_transfer(Direction.SWEEP, "USDT", Decimal(1), Decimal(1), {}, wide.time)
    assert journal.open_transfers() == [row]
    journal.transfer_moved(row.intent_id, Move.GIVE_UP, "never sent", wide.time)
    order = journal.begin_order(journal.unsettled()[0], Side.BUY, Decimal(1), Decimal(1), wide.time)
    assert journal.open_transfers() == []
    assert journal.open_orders() == [order]
    wide.bot.close()


def test_a_row_says_median_worst_and_whether_its_limit_is_kept() -> None:
    """The table names a limit that is not kept."""
    text = markdown([row("loop", [1, 2, 30], "ms", limit="5 ms", kept=False)])
    assert text.splitlines()[-1] == "| loop | 2.0 ms | 30.0 ms |  | 5 ms **not kept** | `` |"
