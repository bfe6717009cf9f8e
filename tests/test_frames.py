"""The dataframe: alignment, multipliers, no look-ahead, spot candles in both modes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from real_data import REAL_DATA

from freqtrade_fundhedge.core.carry import CarryParams
from freqtrade_fundhedge.frames import (
    SpotCandles,
    decide_again,
    hedge_frame,
    informative_pairs,
    startup_candles,
    timeframe_ms,
)

HOUR = 3_600_000
T0 = 1_700_000_000_000 // (8 * HOUR) * 8 * HOUR
REAL = REAL_DATA / "binance"
PARAMS = CarryParams()


def candles(close: np.ndarray, first_ms: int = T0, volume: float = 10.0, step: int = HOUR) -> pd.DataFrame:
    date = pd.to_datetime(first_ms + step * np.arange(len(close)), unit="ms", utc=True)
    return pd.DataFrame({"date": date, "open": close, "high": close, "low": close, "close": close, "volume": volume})


def settlements(rates: np.ndarray, interval: int = 8, column: str = "funding_rate") -> pd.DataFrame:
    date = pd.to_datetime(T0 + interval * HOUR * np.arange(len(rates)), unit="ms", utc=True)
    return pd.DataFrame({"date": date, column: rates})


def random_market(seed: int, n: int = 2400) -> tuple[pd.DataFrame, ...]:
    rng = np.random.default_rng(seed)
    spot = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    perp = spot * (1 + rng.normal(0, 0.002, n))
    rates = np.cumsum(rng.normal(0, 0.0001, n // 8))
    return candles(perp), settlements(rates), candles(perp * 1.0001), candles(spot)


@pytest.mark.parametrize(("timeframe", "ms"), [("5m", 300_000), ("1h", HOUR), ("4h", 4 * HOUR), ("1d", 24 * HOUR)])
def test_timeframe(timeframe: str, ms: int) -> None:
    """A timeframe is a count and a unit."""
    assert timeframe_ms(timeframe) == ms


@pytest.mark.parametrize("timeframe", ["", "h", "0h", "1y", "-1h", "1.5h"])
def test_not_a_timeframe(timeframe: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="timeframe"):
        timeframe_ms(timeframe)


def test_spot_is_asked_of_freqtrade_only_in_backtests() -> None:
    """Live, Freqtrade's spot candles are the perpetual's, so they are never asked for."""
    pairs = {"1000PEPE/USDT:USDT": "PEPE/USDT"}
    funding = [("1000PEPE/USDT:USDT", "1h", "funding_rate"), ("1000PEPE/USDT:USDT", "1h", "mark")]
    assert informative_pairs(pairs, "4h", "1h", live=True) == funding
    assert informative_pairs(pairs, "4h", "1h", live=False) == [*funding, ("PEPE/USDT", "4h", "spot")]


def spot_live(spot: pd.DataFrame) -> pd.DataFrame:
    rows = [[row.date.value // 10**6, *row[2:]] for row in spot.itertuples()]
    kept = SpotCandles(lambda _symbol, _timeframe, since, limit: [r for r in rows if r[0] >= since][:limit], "1h", 500)
    return kept.get("PEPE/USDT", rows[-1][0] + HOUR + 1)


@pytest.mark.parametrize("mode", ["backtest", "live"])
@pytest.mark.parametrize(("multiplier", "spot_price"), [(1.0, 100.0), (1000.0, 0.1)])
def test_basis_of_five_percent_reads_five_percent(mode: str, multiplier: float, spot_price: float) -> None:
    """A perpetual 5 % above spot shows a basis of 5 % in both modes, whatever the multiplier."""
    spot = candles(np.full(100, spot_price))
    frame = hedge_frame(
        candles(np.full(100, 105.0)),
        multiplier,
        "1h",
        settlements(np.full(13, 0.0001)),
        candles(np.full(100, 105.0)),
        spot_live(spot) if mode == "live" else spot,
        PARAMS,
    )
    assert frame["basis"].to_numpy() == pytest.approx(0.05)
    assert frame["spot_close"].to_numpy() == pytest.approx(100.0)


def test_multiplier_must_be_positive() -> None:
    """A multiplier that is not positive is an error, not an empty frame."""
    perp, funding, mark, spot = random_market(1, 100)
    with pytest.raises(ValueError, match="multiplier"):
        hedge_frame(perp, 0.0, "1h", funding, mark, spot, PARAMS)


def test_input_is_left_alone() -> None:
    """The frame is a new one with the same rows, the old columns first."""
    perp, funding, mark, spot = random_market(2, 200)
    before = perp.copy()
    frame = hedge_frame(perp, 1.0, "1h", funding, mark, spot, PARAMS)
    pd.testing.assert_frame_equal(perp, before)
    pd.testing.assert_frame_equal(frame[list(before.columns)], before)


def test_older_column_name_of_funding() -> None:
    """Rates in the column `open`, as older data has it, read the same."""
    perp, funding, mark, spot = random_market(3, 400)
    old = funding.rename(columns={"funding_rate": "open"})
    pd.testing.assert_frame_equal(
        hedge_frame(perp, 1.0, "1h", old, mark, spot, PARAMS), hedge_frame(perp, 1.0, "1h", funding, mark, spot, PARAMS)
    )


@pytest.mark.parametrize("missing", ["funding", "mark", "spot"])
def test_missing_data_opens_nothing(missing: str) -> None:
    """Without funding or spot no hedge opens; without mark prices only their column is empty."""
    perp, _, mark, spot = random_market(4, 800)
    parts = {"funding": settlements(np.full(100, 0.0003)), "mark": mark, "spot": spot}
    parts[missing] = parts[missing].iloc[:0]
    frame = hedge_frame(perp, 1.0, "1h", **parts, params=PARAMS)
    assert frame["hedge_enter"].any() == (missing == "mark")
    assert not frame["hedge_exit"].isna().any()


def test_missing_spot_candle_is_no_signal() -> None:
    """Where the spot candle is missing the basis is NaN and stays out of the decision for three candles."""
    perp, funding, mark, spot = random_market(5, 800)
    frame = hedge_frame(perp, 1.0, "1h", funding, mark, spot.drop(index=[400]), PARAMS)
    np.testing.assert_array_equal(np.flatnonzero(frame["basis"].isna()), [400])
    np.testing.assert_array_equal(np.flatnonzero(frame["basis_gain"].isna())[2:], [400, 401, 402])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("cut", [960, 1333, 2000])
def test_truncating_the_future_changes_nothing(seed: int, cut: int) -> None:
    """Every column of every past candle is the same, to the last bit, when the future is not there yet."""
    perp, funding, mark, spot = random_market(seed)
    full = hedge_frame(perp, 1.0, "1h", funding, mark, spot, PARAMS)
    now = perp["date"].iloc[cut - 1]
    seen = [part[part["date"] <= now] for part in (funding, mark, spot)]
    pd.testing.assert_frame_equal(
        hedge_frame(perp.iloc[:cut], 1.0, "1h", *seen, PARAMS), full.iloc[:cut], check_exact=True
    )


@pytest.mark.parametrize("seed", range(4))
def test_older_history_changes_nothing(seed: int) -> None:
    """After the start-up candles, what happened before the first candle does not matter, to the last bit."""
    perp, funding, mark, spot = random_market(seed)
    full = hedge_frame(perp, 1.0, "1h", funding, mark, spot, PARAMS)
    late, first = startup_candles("1h"), 700
    since = perp["date"].iloc[first]
    seen = [part[part["date"] >= since] for part in (funding, mark, spot)]
    part = hedge_frame(perp.iloc[first:], 1.0, "1h", *seen, PARAMS)
    pd.testing.assert_frame_equal(part.iloc[late:], full.iloc[first + late :], check_exact=True)


def test_deciding_again_with_the_same_thresholds() -> None:
    """The columns are enough to decide again."""
    perp, funding, mark, spot = random_market(6)
    frame = hedge_frame(perp, 1.0, "1h", funding, mark, spot, PARAMS)
    enter, leave = decide_again(frame, PARAMS)
    np.testing.assert_array_equal(enter, frame["hedge_enter"])
    np.testing.assert_array_equal(leave, frame["hedge_exit"])


class Market:
    """A spot market that answers as ccxt's fetch_ohlcv does, and counts."""

    def __init__(self, candles_before: int = 3000) -> None:
        self.first = T0 - candles_before * HOUR
        self.now = T0
        self.late = False
        self.error: Exception | None = None
        self.asked: list[tuple[str, int, int]] = []

    def fetch(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[float]]:
        assert timeframe == "1h"
        self.asked.append((symbol, since, limit))
        if self.error is not None:
            raise self.error
        first = max(-(-since // HOUR) * HOUR, self.first)
        last = self.now - (2 * HOUR if self.late else 0)
        return [[t, 1.0, 1.0, 1.0, t / HOUR, 5.0] for t in range(first, last + 1, HOUR)][:limit]


def kept(market: Market, keep: int = 100, limit: int = 1000) -> SpotCandles:
    return SpotCandles(market.fetch, "1h", keep, limit)


def test_no_partial_candle() -> None:
    """The candle that is still running is not among those returned."""
    market = Market()
    market.now = T0 + HOUR // 2
    frame = kept(market).get("BTC/USDT", market.now)
    assert frame["date"].iloc[-1] == pd.Timestamp(T0 - HOUR, unit="ms", tz="UTC")
    assert len(frame) == 100


def test_one_request_per_candle() -> None:
    """Asked every five seconds for three hours, the market gets one request per candle and symbol."""
    market = Market()
    spot = kept(market)
    for now in range(T0, T0 + 3 * HOUR, 5000):
        market.now = now
        for symbol in ("BTC/USDT", "ETH/USDT"):
            frame = spot.get(symbol, now)
            assert frame["date"].iloc[-1].value // 10**6 == now // HOUR * HOUR - HOUR
            assert len(frame) == 100
    assert len(market.asked) == 2 * 3
    assert {since for _, since, _ in market.asked[2:]} == {T0 - HOUR, T0}


def test_long_history_comes_in_pages() -> None:
    """More candles than one request may ask for are fetched page by page, without a gap."""
    market = Market()
    frame = kept(market, keep=250, limit=100).get("BTC/USDT", T0)
    assert len(market.asked) == 3
    assert len(frame) == 250
    assert (frame["date"].diff().iloc[1:] == pd.Timedelta(hours=1)).all()


def test_young_market() -> None:
    """A market younger than the history that is wanted gives what it has."""
    market = Market(candles_before=7)
    assert len(kept(market).get("NEW/USDT", T0)) == 7


def test_late_candle_is_asked_for_again() -> None:
    """When the candle that is due is not there yet, it is asked for again, but not in every loop."""
    market = Market()
    spot = kept(market)
    market.late = True
    market.now = T0 + HOUR
    for second in range(0, 25, 5):
        spot.get("BTC/USDT", T0 + HOUR + second * 1000)
    assert len(market.asked) == 3


def test_error_passes_through_and_is_not_hammered() -> None:
    """A failing request is seen by the caller, the next loop does not repeat it, and it heals."""
    market = Market()
    spot = kept(market)
    market.error = ConnectionError("gone")
    with pytest.raises(ConnectionError):
        spot.get("BTC/USDT", T0)
    assert spot.get("BTC/USDT", T0 + 5_000).empty
    assert len(market.asked) == 1
    market.error = None
    assert len(spot.get("BTC/USDT", T0 + 10_000)) == 100


def test_outage_is_filled_afterwards() -> None:
    """After hours without an answer, the candles in between are fetched too."""
    market = Market()
    spot = kept(market)
    spot.get("BTC/USDT", T0)
    market.now = T0 + 7 * HOUR
    frame = spot.get("BTC/USDT", market.now)
    assert len(frame) == 100
    assert (frame["date"].diff().iloc[1:] == pd.Timedelta(hours=1)).all()


def test_symbols_are_forgotten() -> None:
    """Pairs that left the whitelist leave memory."""
    market = Market()
    spot = kept(market)
    for symbol in ("BTC/USDT", "ETH/USDT"):
        spot.get(symbol, T0)
    spot.retain(["ETH/USDT"])
    spot.get("ETH/USDT", T0 + 1)
    assert len(market.asked) == 2
    spot.get("BTC/USDT", T0 + 1)
    assert len(market.asked) == 3


def real(name: str, coin: str, multiplier: float) -> pd.DataFrame:
    if not (REAL / "futures" / f"{name}_USDT_USDT-1h-funding_rate.feather").is_file():
        pytest.skip(f"no real candles in {REAL.name}/ of FUNDHEDGE_REAL_DATA")
    futures = REAL / "futures"
    parts = [
        pd.read_feather(futures / f"{name}_USDT_USDT-1h-{kind}.feather") for kind in ("futures", "funding_rate", "mark")
    ]
    spot = pd.read_feather(REAL / f"{coin}_USDT-1h.feather")
    return hedge_frame(parts[0], multiplier, "1h", *parts[1:], spot, PARAMS).set_index("date")


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL", "DOGE", "BNB", "XRP"])
def test_spot_halt_is_no_signal(coin: str) -> None:
    """On 24 March 2023 spot trading stopped; the basis of -250 bp that it seemed to make closes and opens nothing."""
    halt = real(coin, coin, 1.0).loc["2023-03-24 09:00":"2023-03-24 18:00"]
    assert halt.loc["2023-03-24 11:00":"2023-03-24 13:00", "basis"].isna().all()
    assert halt["basis_gain"].abs().max() < 0.001
    decided = halt[["hedge_enter", "hedge_exit"]]
    assert (decided.loc["2023-03-24 11:00":"2023-03-24 15:00"] == [False, decided["hedge_exit"].iloc[0]]).all(axis=None)


def test_interval_changes_are_read() -> None:
    """ORCA settled every 4, 2 and 1 hours in turn, and each rate is annualised with its own interval."""
    frame = real("ORCA", "ORCA", 1.0)
    known = frame["funding_interval_h"].dropna()
    assert set(known.unique()) == {1.0, 2.0, 4.0} or set(known.unique()) == {2.0, 4.0}
    np.testing.assert_allclose(frame["funding_apr"], frame["funding_rate"] * 8760 / frame["funding_interval_h"])


def test_multiplier_on_real_prices() -> None:
    """1000PEPE over a thousand PEPE is a basis of basis points, not of thousands."""
    assert real("1000PEPE", "PEPE", 1000.0)["basis"].abs().median() < 0.001
