"""What the exchange has against one market keeps no other hedge, and no USDT, waiting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest
from fake_venue import MARKET, PAIR, FakeVenue
from test_early_fills import QUANTITY, World

from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.errors import Rejected
from freqtrade_fundhedge.journal_rows import OrderRow
from freqtrade_fundhedge.market import SpotMarket
from freqtrade_fundhedge.venue.port import ZERO, Evidence, Fill, OrderRequest, Quote

OTHER = "ETH/USDT:USDT"
LOST = Rejected("Invalid symbol.", "-1121")


class Delisting(FakeVenue):
    """Two markets in the same coin, one of which may be gone from spot."""

    gone = False

    def market(self, pair: str) -> SpotMarket:
        return replace(MARKET, pair=pair, symbol=pair.partition(":")[0])

    def quote(self, symbol: str) -> Quote:
        if self.gone and symbol != MARKET.symbol:
            raise LOST
        return super().quote(symbol)

    def find_order(self, order: OrderRequest) -> tuple[Evidence, Fill | None]:
        if self.gone and order.market.symbol != MARKET.symbol:
            raise LOST
        return super().find_order(order)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    venue = Delisting(made.now, {"USDT": D(10_000)}, D(2_000))
    venue.journal = made.journal
    made.venue = made.bot.ctx.venue = venue
    yield made
    made.journal.close()


@pytest.mark.parametrize("fault", [[], ["lost_after"]])
def test_a_market_that_is_gone_keeps_no_other_hedge_waiting(world: World, fault: list[str]) -> None:
    """Neither its book nor an order of it can be read; the other hedge is sold and its USDT swept all the same."""
    venue, stake = world.venue, QUANTITY * world.venue.price / 3
    assert isinstance(venue, Delisting)
    venue.shorts = dict.fromkeys((OTHER, PAIR), (QUANTITY, venue.price, stake))
    opened = world.now()
    legs = [ShortLeg(n, pair, opened, QUANTITY, QUANTITY, True, stake, stake) for n, pair in ((1, OTHER), (2, PAIR))]
    world.legs = legs
    if fault:
        venue.faults["order"] = list(fault)
        world.loops()
        venue.gone = True
        world.loops()
    else:
        world.loops(2)
        venue.gone = True
    venue.shorts = {}
    world.legs = [replace(leg, filled=ZERO, reachable=ZERO, is_open=False, stake_left=ZERO) for leg in legs]
    world.time += 60
    world.loops(3)
    held = {hedge.pair: hedge.held for hedge in world.hedges()}
    assert held[PAIR] < D("0.00002")
    assert venue.sent["transfer"] >= 1
    assert world.bot.trouble
    if fault:
        assert [row.state for row in world.journal.recent(OrderRow) if row.pair == OTHER] == [State.UNKNOWN]
    else:
        assert held[OTHER] > QUANTITY * D("0.99")
