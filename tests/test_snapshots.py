"""Readings for the report: one an hour at most, one request each, and nothing that a loop would stumble over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest
from test_orphans import World

from freqtrade_fundhedge.errors import NotSent
from freqtrade_fundhedge.journal_history import funding_events, snapshots
from freqtrade_fundhedge.journal_rows import EventRow
from freqtrade_fundhedge.journal_trail import Wish, newest


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A bot with a hedge."""
    made = World(tmp_path)
    yield made
    made.bot.close()


def readings(world: World) -> int:
    return len(list(snapshots(world.journal.engine, "bot", Wish())))


def test_one_an_hour_while_hedged(world: World) -> None:
    """A hedge is read once an hour, over a restart too; without one it is once a day."""
    world.hedge()
    first = readings(world)
    assert first == 1
    world.loops(24 * 6, seconds=600)
    assert 23 <= readings(world) - first <= 25
    world.bot.close()
    world.start()
    before = readings(world)
    world.loops(2)
    assert readings(world) == before
    assert [e for e in newest(world.journal.engine, "bot", Wish(frozenset({"event"})), 500)
            if isinstance(e.row, EventRow) and e.row.kind == "snapshot"] == []  # fmt: skip


def test_what_is_read(world: World) -> None:
    """Both wallets are in the reading; one whose spot balance can't be read is kept without it, and not asked again."""
    world.hedge()
    read = next(iter(snapshots(world.journal.engine, "bot", Wish())))
    assert read.futures == 2000.0
    assert read.spot == 10_000.0
    world.time += 4000
    world.venue.faults["read"] = ["not_sent"]
    account = world.bot.account
    assert account is not None
    with pytest.raises(NotSent):
        world.bot.snapshots.look(account, {}, {})
    world.bot.snapshots.look(account, {}, {})
    after = list(snapshots(world.journal.engine, "bot", Wish()))[1:]
    assert [(r.spot, r.futures) for r in after] == [(None, float(account.wallet))]


def test_funding_is_noted_as_it_comes(world: World) -> None:
    """Each change of a short's funding is one event with the exact difference, and no change is none."""
    world.hedge()
    for funding in ("0.5", "0.5", "0.75"):
        world.legs[0] = replace(world.legs[0], funding=D(funding))
        world.loops(1)
    noted = [event.amount for event in funding_events(world.journal.engine, "bot")]
    assert noted == [0.5, 0.25]
