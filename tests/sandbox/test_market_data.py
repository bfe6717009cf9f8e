"""Prices, candles and funding: joined to the present, repeatable, and steered from outside."""

from __future__ import annotations

import itertools
import time
from decimal import Decimal

import numpy as np
import pytest

from freqtrade_fundhedge.sandbox import SandboxServer
from freqtrade_fundhedge.sandbox.candles import INTERVALS, ohlc, span
from freqtrade_fundhedge.sandbox.market import Markets

HOUR = 3_600_000
PAIR = "ETH/USDT:USDT"


@pytest.mark.parametrize("interval", INTERVALS)
def test_candles_join_up_to_the_price(swap, interval):
    """On each timeframe candles follow without gaps, open where the last closed, and end at the price."""
    rows = swap.fetch_ohlcv(PAIR, interval, limit=50)
    step = INTERVALS[interval] * 60_000
    assert [row[0] - rows[0][0] for row in rows] == [step * i for i in range(50)]
    assert all(low <= min(o, c) <= max(o, c) <= high for _, o, high, low, c, _ in rows)
    assert all(first[4] == second[1] for first, second in itertools.pairwise(rows))
    assert rows[-1][4] == swap.fetch_ticker(PAIR)["last"]


def test_two_months_of_hourly_candles(swap):
    """Sixty days back there are hourly candles, marks and funding."""
    since = int(time.time() * 1000) // HOUR * HOUR - 60 * 24 * HOUR
    for price in (None, "mark", "premiumIndex"):
        rows = swap.fetch_ohlcv(PAIR, "1h", since, 1000, {"price": price} if price else {})
        assert (rows[0][0], len(rows)) == (since, 1000)
    assert swap.fetch_funding_rate_history(PAIR, since, 1)[0]["timestamp"] < since + 9 * HOUR


def test_an_hour_is_its_minutes(clock):
    """A candle of any timeframe has the extremes of the smaller ones in it."""
    path = Markets(clock, seed=3).perp["BTCUSDT"].path
    now = clock()
    hours = span("1h", now - 50 * HOUR, now - 40 * HOUR, 10, now, now)
    minutes = span("1m", hours.first * HOUR, (hours.last + 1) * HOUR - 1, 1000, now, now)
    large, small = (ohlc(path, wanted, now, 0.0002, 7) for wanted in (hours, minutes))
    cube = small.reshape(hours.count, 60, 4)
    assert np.array_equal(large[:, 1], cube[:, :, 1].max(axis=1))
    assert np.array_equal(large[:, 2], cube[:, :, 2].min(axis=1))
    assert np.array_equal(large[:, 3], cube[:, -1, 3])


def test_history_repeats_with_its_seed(clock):
    """The same seed and start make the same history; another seed another."""
    wanted = span("1h", None, None, 100, clock(), clock())
    tables = [ohlc(Markets(clock, seed=seed).perp["SOLUSDT"].path, wanted, clock(), 0, 0) for seed in (5, 5, 6)]
    assert np.array_equal(tables[0], tables[1])
    assert not np.array_equal(tables[0], tables[2])


def test_spot_and_perpetual_have_prices_of_their_own(spot, swap, control):
    """A basis of 5 % shows in tickers, books, candles and the premium; spot keeps its price."""
    control.post("price", symbol="ETHUSDT", price="2500")
    control.post("basis", symbol="ETHUSDT", basis="0.05")
    assert spot.fetch_ticker("ETH/USDT")["last"] == 2500
    assert swap.fetch_ticker(PAIR)["last"] == 2625
    assert spot.fetch_ohlcv("ETH/USDT", "1h")[-1][4] == 2500
    assert swap.fetch_ohlcv(PAIR, "1h")[-1][4] == 2625
    rate = swap.fetch_funding_rate(PAIR)
    assert (rate["markPrice"], rate["indexPrice"]) == (2625, 2500)
    assert swap.fetch_ohlcv(PAIR, "1h", params={"price": "premiumIndex"})[-1][4] == 0.05


def test_the_multiplier_ties_1000pepe_to_pepe(spot, swap, control):
    """One 1000PEPE is a thousand PEPE, in price, index and basis."""
    control.post("price", symbol="1000PEPEUSDT", price="0.000004")
    assert spot.fetch_ticker("PEPE/USDT")["last"] == 0.000004
    assert swap.fetch_ticker("1000PEPE/USDT:USDT")["last"] == 0.004
    assert swap.fetch_funding_rate("1000PEPE/USDT:USDT")["indexPrice"] == 0.004
    assert control.get("state")["perp"]["1000PEPEUSDT"]["spot"] == "PEPEUSDT"


def test_a_ramp_goes_through_the_prices_between(swap, control):
    """A ramped price is on its way before it arrives."""
    control.post("price", symbol="ETHUSDT", price="2500")
    control.post("price", symbol="ETHUSDT", price="2600", ramp_s=0.6)
    seen = [Decimal(str(swap.fetch_ticker(PAIR)["last"]))]
    deadline = time.monotonic() + 5
    while seen[-1] < 2600:
        assert time.monotonic() < deadline
        time.sleep(0.1)
        seen.append(Decimal(str(swap.fetch_ticker(PAIR)["last"])))
    assert sorted(seen) == seen
    assert any(2500 < price < 2600 for price in seen)
    assert swap.fetch_ohlcv(PAIR, "1h")[-1][2] >= 2600


def test_prices_stand_still_unless_alive(server):
    """By default only the user moves prices; an alive sandbox moves them itself, and set prices still hold."""
    with SandboxServer(alive=True, seed=4) as alive:
        first = alive.control.get("state")["perp"]["BTCUSDT"]["mid"]
        time.sleep(0.02)
        assert alive.control.get("state")["perp"]["BTCUSDT"]["mid"] != first
        alive.control.post("price", symbol="BTCUSDT", price="50000")
        mid = Decimal(alive.control.get("state")["spot"]["BTCUSDT"]["mid"])
        assert abs(mid - 50000) < 50
    still = [server.control.get("state")["perp"]["BTCUSDT"]["mid"] for _ in range(2)]
    assert still[0] == still[1] == "65000"


def test_funding_is_predicted_and_remembered_as_set(swap, control):
    """What was set is predicted for the next settlement and told as settled before."""
    control.post("funding", symbol="ETHUSDT", rate="0.0007", past="0.0004", hours=72)
    assert swap.fetch_funding_rates()[PAIR]["fundingRate"] == 0.0007
    rows = swap.fetch_funding_rate_history(PAIR, int(time.time() * 1000) - 71 * HOUR, 1000)
    assert {row["fundingRate"] for row in rows} == {0.0004}
    assert len(rows) == 8 or len(rows) == 9
    older = swap.fetch_funding_rate_history(PAIR, int(time.time() * 1000) - 200 * HOUR, 5)
    assert {row["fundingRate"] for row in older} != {0.0004}


def test_intervals_are_the_symbols_own(swap, control):
    """Symbols settle every 8, 4 or 1 hours, and an interval can change."""
    intervals = swap.fetch_funding_intervals()
    assert intervals[PAIR]["interval"] == "8h"
    assert intervals["ORCA/USDT:USDT"]["interval"] == "4h"
    assert intervals["SUI/USDT:USDT"]["interval"] == "1h"
    for pair, hours in ((PAIR, 8), ("ORCA/USDT:USDT", 4), ("SUI/USDT:USDT", 1)):
        rows = swap.fetch_funding_rate_history(pair, limit=5)
        assert {b["timestamp"] - a["timestamp"] for a, b in itertools.pairwise(rows)} == {hours * HOUR}
    control.post("funding", symbol="ETHUSDT", interval_hours=4)
    assert swap.fetch_funding_intervals()[PAIR]["interval"] == "4h"
    assert swap.fetch_funding_rate(PAIR)["fundingTimestamp"] % (4 * HOUR) == 0


def test_a_short_earns_positive_funding(swap, control):
    """Settling pays notional at mark times rate to the short, and lists it as income."""
    control.post("price", symbol="ETHUSDT", price="2500")
    swap.create_order(PAIR, "market", "sell", 2)
    paid = control.post("settle", symbol="ETHUSDT", rate="0.001")
    assert paid == {"ETHUSDT": "5"}
    row = swap.fetch_funding_history(PAIR)[0]
    assert (row["amount"], row["code"]) == (5, "USDT")
    control.post("settle", symbol="ETHUSDT", rate="-0.001")
    assert [row["amount"] for row in swap.fetch_funding_history(PAIR)] == [5, -5]


def test_funding_falls_due_by_the_clock(exchange, clock):
    """Each symbol settles at its own times, on the position held then, once."""
    from freqtrade_fundhedge.sandbox.futures_rules import FuturesRequest

    exchange.funding.set_next("SUIUSDT", Decimal("0.001"))
    exchange.futures.place(FuturesRequest("SUIUSDT", "SELL", "MARKET", "", Decimal(1000), Decimal(0), "a"))
    before = len(exchange.funding.books["SUIUSDT"].rows)
    clock.forward(3 * 3600)
    for _ in range(3):
        exchange.advance()
    rows = [row for row in exchange.futures.income.rows if row.kind == "FUNDING_FEE"]
    assert [row.amount for row in rows] == [Decimal("0.75")] * 3
    assert all(row.time % HOUR == 0 for row in rows)
    assert len(exchange.funding.books["SUIUSDT"].rows) == before + 3


def test_not_every_perpetual_has_a_spot_market(spot, swap):
    """One perpetual has no spot market to hedge on."""
    assert "FARTCOIN/USDT:USDT" in swap.markets
    assert "FARTCOIN/USDT" not in spot.markets
    hedgeable = [m for m in swap.markets.values() if m["swap"]]
    assert len(hedgeable) >= 12


def test_a_basis_can_have_been_there_before(spot, swap, control):
    """With past_hours the candles of both markets show the basis that far back, and not before."""
    control.post("basis", symbol="ETHUSDT", basis="0.01", past_hours=48)
    pairs = [
        (perp[4], coin[4])
        for perp, coin in zip(
            swap.fetch_ohlcv(PAIR, "1h", limit=100), spot.fetch_ohlcv("ETH/USDT", "1h", limit=100), strict=True
        )
    ]
    basis = [perp / coin - 1 for perp, coin in pairs]
    assert all(abs(value - 0.01) < 2e-4 for value in basis[-47:])
    assert all(abs(value) < 5e-3 for value in basis[:50])


def test_ccxt_sees_a_healthy_exchange(spot, control):
    """Status, wallets in short and test orders are answered, and a test order trades nothing."""
    assert spot.fetch_status()["status"] == "ok"
    assert set(control.get("wallets")) == {"time", "spot", "futures", "positions"}
    order = {"symbol": "ETHUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"}
    assert spot.private_post_order_test(order) == {}
    assert spot.fapiprivate_post_order_test(order) == {}
    assert control.books()["orders"] == {"spot": [], "futures": []}


def test_a_delisting_is_announced(spot, swap, control):
    """A spot market's end is in the delist schedule, a perpetual's in its delivery date, before it happens."""
    when = int(time.time() * 1000) + 5 * 24 * HOUR
    control.post("market", symbol="ETHUSDT", delisted_at=when)
    assert spot.sapi_get_spot_delist_schedule() == [{"delistTime": when, "symbols": ["ETHUSDT"]}]
    assert swap.load_markets(reload=True)[PAIR]["info"]["deliveryDate"] == when
    assert swap.markets[PAIR]["active"] is True


def test_the_users_own_coins_come_and_go(spot, control):
    """Deposits and withdrawals of the user's own are in the books as such, at the price of their day."""
    control.post("balance", asset="BTC", amount="0.5")
    control.post("price", symbol="BTCUSDT", market="spot", price="66000")
    control.post("balance", asset="BTC", amount="-0.1")
    assert spot.fetch_balance()["BTC"]["total"] == 0.4
    equity = control.books()["equity"]
    assert equity["faults"] == []
    assert Decimal(equity["price"]) == 500
    assert Decimal(equity["deposits"]) == 15000 + 32500 - 6600
