"""Pairs, spot symbols and multipliers, on made-up markets and on every symbol that Binance had."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_data import REAL_DATA

from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.market import ceil_to, floor_to, multiplier_and_base, spot_market, spot_symbol

SNAPSHOTS = REAL_DATA / "snapshots"
real_data = pytest.mark.skipif(
    not SNAPSHOTS.is_dir(), reason="no real snapshots: set FUNDHEDGE_REAL_DATA to a directory that holds snapshots/"
)

STEPS = st.sampled_from([Decimal(text) for text in ("1", "0.1", "0.00001", "5", "0.25", "1000")])
AMOUNTS = st.decimals(min_value=Decimal(-(10**9)), max_value=Decimal(10**9), places=8)


@given(AMOUNTS, STEPS)
def test_rounding_stays_on_the_grid_and_on_its_side(value: Decimal, step: Decimal) -> None:
    """Rounding down never exceeds, rounding up never falls short, and both land on the grid within one step."""
    down, up = floor_to(value, step), ceil_to(value, step)
    assert down <= value <= up
    assert down % step == up % step == 0
    assert up - down == (0 if value % step == 0 else step)


def test_no_step_means_no_rounding() -> None:
    """A venue without a grid leaves the value alone."""
    assert floor_to(Decimal("1.23"), Decimal(0)) == ceil_to(Decimal("1.23"), Decimal(0)) == Decimal("1.23")


@pytest.mark.parametrize(
    ("base", "multiplier", "coin"),
    [
        ("BTC", 1, "BTC"),
        ("1000PEPE", 1000, "PEPE"),
        ("10000QUBIC", 10_000, "QUBIC"),
        ("1000000MOG", 1_000_000, "MOG"),
        ("1MBABYDOGE", 1_000_000, "BABYDOGE"),
        ("1INCH", 1, "1INCH"),
        ("0G", 1, "0G"),
        ("2Z", 1, "2Z"),
        ("42", 1, "42"),
        ("100X", 1, "100X"),
        ("1000X", 1000, "X"),
        ("1000", 1, "1000"),
    ],
)
def test_a_base_is_split_by_its_prefix(base: str, multiplier: int, coin: str) -> None:
    """Only a thousand and its powers in front of a name are a multiplier."""
    assert multiplier_and_base(base) == (Decimal(multiplier), coin)


SPOT: dict[str, Any] = {
    f"{base}/USDT": {"spot": True} for base in ("BTC", "PEPE", "1000SATS", "SATS", "1INCH", "INCH", "X")
}


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ("BTC/USDT:USDT", ("BTC/USDT", 1)),
        ("1000PEPE/USDT:USDT", ("PEPE/USDT", 1000)),
        ("1000SATS/USDT:USDT", ("1000SATS/USDT", 1)),
        ("1INCH/USDT:USDT", ("1INCH/USDT", 1)),
        ("1000X/USDT:USDT", ("X/USDT", 1000)),
        ("DOGE/USDT:USDT", None),
        ("BTC/USDC:USDC", None),
    ],
)
def test_the_list_of_spot_markets_decides(pair: str, expected: tuple[str, int] | None) -> None:
    """A coin whose own name starts with 1000 is not split; a pair without a spot market has none."""
    assert spot_symbol(pair, SPOT) == expected


def test_a_perpetual_is_never_taken_for_spot() -> None:
    """A ccxt instance for swaps may answer a spot name with the perpetual; that is no spot market."""
    assert spot_symbol("BTC/USDT:USDT", {"BTC/USDT": {"spot": False}, "BTC/USDT:USDT": {"spot": False}}) is None


def listed(symbol: str, base: str, step: str, tick: str, minimum: str, **more: str) -> dict[str, Any]:
    """A spot symbol in the shape of Binance's exchangeInfo."""
    return {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": "USDT",
        "quotePrecision": 8,
        "isSpotTradingAllowed": True,
        "permissions": [],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000000000.00000000", "stepSize": step},
            {"filterType": "NOTIONAL", "minNotional": minimum, "applyMinToMarket": True, "maxNotional": "9000000.0"},
        ],
    } | more


def parsed(*symbols: dict[str, Any]) -> dict[str, Any]:
    # the two lists are what loading markets with keys would fill in
    exchange = ccxt.binance({"options": {"crossMarginPairsData": [], "isolatedMarginPairsData": []}})
    return {market["symbol"]: market for market in map(exchange.parse_market, symbols)}


def test_filters_are_read_exactly() -> None:
    """Grid and minimums arrive as the decimals that the exchange wrote, through ccxt's floats."""
    markets = parsed(listed("PEPEUSDT", "PEPE", "1.00000000", "0.00000001", "1.00000000"))
    market = spot_market("1000PEPE/USDT:USDT", markets)
    assert (market.symbol, market.multiplier) == ("PEPE/USDT", Decimal(1000))
    assert (market.lot, market.tick) == (Decimal(1), Decimal("0.00000001"))
    assert (market.min_quantity, market.min_notional) == (Decimal(1), Decimal(1))
    assert market.taker_fee == Decimal("0.001")
    assert market.active


def test_a_halted_market_is_not_active() -> None:
    """A spot market in a break is known, and known to be closed."""
    markets = parsed(listed("BTCUSDT", "BTC", "0.00001000", "0.01000000", "5.00000000", status="BREAK"))
    assert not spot_market("BTC/USDT:USDT", markets).active


def test_missing_limits_are_none_at_all() -> None:
    """A venue that states no minimum has none, and one lot is the smallest order."""
    market = spot_market(
        "BTC/USDT:USDT",
        {"BTC/USDT": {"spot": True, "base": "BTC", "quote": "USDT", "precision": {"amount": 1e-05}, "limits": {}}},
    )
    assert (market.lot, market.min_quantity) == (Decimal("0.00001"), Decimal("0.00001"))
    assert market.min_notional == market.tick == market.taker_fee == 0


def test_no_spot_market_is_an_error_with_the_remedy() -> None:
    """A pair that can't be hedged is named, and so is what to do."""
    with pytest.raises(ConfigError, match=r"^DOGE/USDT:USDT: no spot market in USDT .* remove the pair"):
        spot_market("DOGE/USDT:USDT", SPOT)


def snapshot(name: str) -> Any:
    (path,) = SNAPSHOTS.glob(f"{name}_*.json.gz")
    return json.loads(gzip.decompress(path.read_bytes()))


def tradable_pairs() -> dict[str, str]:
    """Exchange symbol by pair, for every USDT perpetual that is open."""
    exchange = ccxt.binance()
    listed_symbols = snapshot("binance_fapi_exchangeInfo")["symbols"]
    markets = [exchange.parse_market(s) for s in listed_symbols if s["contractType"] == "PERPETUAL"]
    return {m["symbol"]: m["id"] for m in markets if m["active"] and m["settle"] == "USDT"}


def mids(name: str) -> dict[str, Decimal]:
    """Middle of the best prices by exchange symbol, where there are both."""
    ticks = snapshot(name)
    return {
        tick["symbol"]: (Decimal(tick["bidPrice"]) + Decimal(tick["askPrice"])) / 2
        for tick in ticks
        if Decimal(tick["bidPrice"]) and Decimal(tick["askPrice"])
    }


def real_spot_markets() -> dict[str, Any]:
    names = (tick["symbol"] for tick in snapshot("binance_spot_bookTicker"))
    return {f"{name[:-4]}/USDT": {"spot": True} for name in names if name.endswith("USDT")}


@real_data
def test_every_real_perpetual_is_mapped_or_known_to_have_no_spot() -> None:
    """Of Binance's open USDT perpetuals as many are matched as there are spot twins, none by a wrong split."""
    markets = real_spot_markets()
    found = {pair: spot_symbol(pair, markets) for pair in tradable_pairs()}
    scaled = {pair.split("/")[0] for pair, twin in found.items() if twin and twin[1] != 1}
    assert len(found) == 530
    assert sum(twin is not None for twin in found.values()) == 370
    assert scaled == {"1000SHIB", "1000XEC", "1000LUNC", "1000PEPE", "1000FLOKI", "1000BONK"}
    for whole in ("1INCH", "1000SATS", "1000CAT", "1000CHEEMS", "1MBABYDOGE", "0G", "2Z"):
        assert found[f"{whole}/USDT:USDT"] == (f"{whole}/USDT", 1)
    for alone in ("1000RATS", "1000000MOG", "1000000BOB", "BTCDOM"):
        assert found[f"{alone}/USDT:USDT"] is None


@real_data
def test_real_prices_agree_with_the_multiplier() -> None:
    """For each matched symbol the perpetual costs the multiplier times the spot coin, within one per cent."""
    markets, spot, futures = real_spot_markets(), mids("binance_spot_bookTicker"), mids("binance_fapi_bookTicker")
    compared = 0
    for pair, name in tradable_pairs().items():
        twin = spot_symbol(pair, markets)
        price = spot.get(twin[0].replace("/", "")) if twin else None
        if twin and price and name in futures:
            compared += 1
            assert abs(futures[name] / (price * twin[1]) - 1) < Decimal("0.01"), pair
    assert compared == 367
