"""A controller with many open hedges on an exchange in memory, beside a journal with a long past."""

from __future__ import annotations

import json
import random
import sqlite3
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from decimal import Decimal as D
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import event

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fake_venue import MARKET, FakeVenue

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.intents import intent_id
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import HedgeRow, iso
from freqtrade_fundhedge.journal_trail import SNAPSHOT
from freqtrade_fundhedge.market import SpotMarket
from freqtrade_fundhedge.venue.perpetuals import FundingQuote, PerpState
from freqtrade_fundhedge.venue.port import ZERO, Fill, FuturesAccount, OrderRequest, Position, Side

START_S = 1_790_000_000.0
LOOP_S = 5.0
BOT = "bench"
QUANTITY, MARGIN = D("0.02"), D(400)
ORDERS_EACH, TRANSFERS_EACH, EVENTS_EACH = 2, 2, 6
ROWS_EACH = 1 + ORDERS_EACH + TRANSFERS_EACH + EVENTS_EACH
KINDS = ("entry_allowed", "spot_fill", "hedge_opened", "funding", "snapshot", "hedge_closed")


def pair_of(number: int) -> str:
    """The pair of a made-up coin."""
    return f"C{number:03}/USDT:USDT"


@cache
def _market(pair: str) -> SpotMarket:
    return replace(MARKET, pair=pair, symbol=pair.partition(":")[0], base=pair.partition("/")[0])


class WideVenue(FakeVenue):
    """As many markets as one likes, and a count of what is asked."""

    listed: int = 300
    asked: int = 0
    open_pairs: Sequence[str] = ()

    def _read(self) -> None:
        self.asked += 1
        super()._read()

    def market(self, pair: str) -> SpotMarket:
        return _market(pair)

    def futures_account(self) -> FuturesAccount:
        self._read()
        notional = QUANTITY * self.price
        positions = tuple(
            Position(p, QUANTITY, notional, MARGIN, notional / 250, ZERO, isolated_margin=MARGIN)
            for p in self.open_pairs
        )
        free = self.wallet - MARGIN * len(positions)
        return FuturesAccount(self.wallet, free, free, positions)

    def _match(self, order: OrderRequest, partly: bool) -> Fill:
        sold, cost = order.side is Side.SELL, order.quantity * self.price
        coin = "USDT" if sold else order.market.base
        fee = (cost if sold else order.quantity) * order.market.taker_fee
        return Fill(f"o{self.sent['order']}", order.quantity, cost, {coin: fee}, "fake")

    def withdrawable(self) -> D:
        return self.wallet - MARGIN * len(self.open_pairs)

    def funding(self) -> Mapping[str, FundingQuote]:
        self._read()
        price = float(self.price)
        quote = FundingQuote(0.0001, 8.0, self.now() + 3600, price, price, 0.02)
        return {pair_of(number): quote for number in range(self.listed)}

    def perp_states(self, pairs: Collection[str]) -> Mapping[str, PerpState]:
        self._read()
        return dict.fromkeys(pairs, self.perp)


class Wide:
    """A bot in virtual time with so many open hedges."""

    def __init__(self, folder: Path, hedges: int, past: int = 0, listed: int = 300) -> None:
        self.time = START_S
        self.path = folder / "journal.sqlite"
        Journal(self.url, BOT).close()
        if past:
            write_past(self.path, past)
        self.venue = WideVenue(lambda: self.time, {"USDT": D(10) ** 9})
        self.venue.listed, self.venue.isolated = listed, True
        self.legs = [self.leg(number, number) for number in range(hedges)]
        self._positions()
        self.bot = self.start()

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def leg(self, trade: int, pair: int) -> ShortLeg:
        """A short of Freqtrade's that was just filled."""
        cost = QUANTITY * self.venue.price
        return ShortLeg(
            10_000_000 + trade, pair_of(pair), START_S - 60, QUANTITY, QUANTITY, True,
            stake_in=MARGIN, stake_left=MARGIN, entered=QUANTITY, sold=cost,
        )  # fmt: skip

    def start(self) -> Controller:
        """A new controller on the same journal: what a restart is to us."""
        settings = FundHedgeConfig.model_validate({})
        journal = Journal(self.url, BOT)
        return Controller(Context(self.venue, journal, settings, "USDT", clock=lambda: self.time))

    def loop(self) -> bool:
        """One turn of converge(), five seconds after the last one."""
        self.time += LOOP_S
        return self.bot.converge(self._legs)

    def _legs(self, _hedges: Sequence[HedgeRow]) -> Sequence[ShortLeg]:
        return self.legs

    def enter(self, number: int) -> None:
        """Freqtrade asks, enters, and tells of the fill."""
        leg = self.leg(number, number)
        assert self.bot.allow_entry(leg.pair, leg.filled, self.venue.price) == ""
        self.legs.append(leg)
        self._positions()
        assert self.bot.after_fill(leg)

    def leave(self) -> None:
        """Freqtrade closes its oldest short; nothing of it stays after a loop."""
        self.close_oldest()
        self.loop()
        del self.legs[0]

    def close_oldest(self) -> None:
        """Freqtrade closes its oldest short and tells of the fill."""
        leg = replace(
            self.legs[0], filled=ZERO, reachable=ZERO, is_open=False, stake_left=ZERO, bought=self.legs[0].sold
        )
        self.legs[0] = leg
        self._positions(freed=leg.freed)
        assert self.bot.after_fill(leg)

    def _positions(self, freed: D = ZERO) -> None:
        self.venue.open_pairs = [leg.pair for leg in self.legs if leg.is_open]
        self.venue.wallet = sum((leg.stake_left for leg in self.legs), freed)

    def settle(self) -> None:
        """Loop until all is hedged and nothing is left to do."""
        for _ in range(5):
            self.loop()
        assert self.bot.trouble == "", self.bot.trouble
        assert self.venue.sent["order"] == len(self.legs)

    def statements(self) -> Statements:
        """Count and keep the SQL from here on."""
        return Statements(self.bot.ctx.journal.engine)


class Statements:
    """SQL that an engine executes, while it is used as a context."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.seen: list[tuple[str, Any]] = []

    def _keep(self, _db: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        self.seen.append((sql, values))

    def __enter__(self) -> Statements:
        event.listen(self.engine, "before_cursor_execute", self._keep)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self.engine, "before_cursor_execute", self._keep)


def write_past(path: Path, rows: int) -> None:
    """Closed and settled hedges with their orders, transfers and events: about so many rows in all."""
    count = max(1, rows // ROWS_EACH)
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma synchronous=off")
        for table, values in _tables(count):
            _insert(db, table, values)
        db.commit()
        db.execute("pragma wal_checkpoint(truncate)")


def _insert(db: sqlite3.Connection, table: str, values: Iterator[dict[str, Any]]) -> None:
    first = next(values)
    columns = ", ".join(first)
    sql = f"insert into {table} ({columns}) values ({', '.join('?' * len(first))})"
    db.execute(sql, tuple(first.values()))
    db.executemany(sql, (tuple(value.values()) for value in values))


def _at(number: int, count: int, part: float = 0.0) -> str:
    """Spread over the four years before the start."""
    return iso(START_S - 4 * 365 * 86_400 * (1 - (number + part) / (count + 1)) - 3600)


def _tables(count: int) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    yield "hedges", (_hedge(n, count) for n in range(count))
    yield "spot_orders", (_order(n, k, count) for n in range(count) for k in range(ORDERS_EACH))
    yield "transfers", (_transfer(n, k, count) for n in range(count) for k in range(TRANSFERS_EACH))
    yield "events", (_event(n, k, count) for n in range(count) for k in range(EVENTS_EACH))


def _hedge(n: int, count: int) -> dict[str, Any]:
    money = ("wanted", "held", "spot_cash", "spot_fees", "spot_bought", "short_realised", "funding")
    return {
        "id": f"hedge-{n}", "bot": BOT, "trade_id": n, "pair": pair_of(n % 300), "symbol": pair_of(n % 300)[:-5],
        "state": "closed", "opened_at": _at(n, count), "closed_at": _at(n, count, 0.5), "unhedged_since": None,
        **dict.fromkeys(money, "0"), "freed": "100", "swept": "100", "settled": 1,
    }  # fmt: skip


def _order(n: int, k: int, count: int) -> dict[str, Any]:
    at = _at(n, count, k / 2)
    return {
        "intent_id": f"order-{n}-{k}", "hedge_id": f"hedge-{n}", "serial": k + 1, "pair": pair_of(n % 300),
        "symbol": pair_of(n % 300)[:-5], "side": ("buy", "sell")[k], "state": "done", "amount": "0.02",
        "price": "50000", "filled": "0.02", "quote": "1000", "fees": '{"USDT": "1"}', "attempts": 1, "not_seen": 0,
        "created_at": at, "sent_at": at, "resolved_at": at, "exchange_id": f"{n}{k}", "answer": "closed",
    }  # fmt: skip


def _transfer(n: int, k: int, count: int) -> dict[str, Any]:
    at, serial = _at(n, count, k / 2), TRANSFERS_EACH * n + k + 1
    return {
        "intent_id": intent_id("transfer", BOT, serial, "sweep"), "serial": serial, "bot": BOT,
        "direction": ("spot_to_futures", "futures_to_spot")[k], "asset": "USDT", "state": "done",
        "amount": "100.00000123", "intended": "100", "wallet_before": "100", "arithmetic": "{}", "attempts": 1,
        "attempt_log": "[]", "not_seen": 0, "created_at": at, "sent_at": at, "resolved_at": at,
        "exchange_id": f"t{serial}", "answer": "ok",
    }  # fmt: skip


def _event(n: int, k: int, count: int) -> dict[str, Any]:
    pair = None if KINDS[k] == SNAPSHOT else pair_of(n % 300)
    data = {"quantity": "0.02"} if k == 0 else {"amount": str(random.Random(n).random())}
    return {
        "at": _at(n, count, k / 6 * 0.4), "bot": BOT, "kind": KINDS[k], "hedge_id": f"hedge-{n}" if k else None,
        "pair": pair, "message": f"{KINDS[k]} of {pair}", "data": json.dumps(data),
    }  # fmt: skip
