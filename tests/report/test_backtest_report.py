"""The report of a backtest: reading in pieces, both legs, sums, equity."""

from __future__ import annotations

import json
import tracemalloc
import zipfile
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.report import result_file
from freqtrade_fundhedge.report.backtest import evaluate
from freqtrade_fundhedge.report.candle_files import FeatherCandles
from freqtrade_fundhedge.report.records import json_pieces, trade_records
from freqtrade_fundhedge.report.result_file import latest_result, read_result
from freqtrade_fundhedge.report.sums import Levels
from freqtrade_fundhedge.report.tables import tables, trade_table

HOUR = 3_600_000
START = 1_704_067_200_000
HOURS = 24 * 40


def trade(pair: str, opened: int, fills: list[tuple[int, float, float]], **more: Any) -> dict[str, Any]:
    """A trade as Freqtrade writes it; fills are (hour, amount sold, price)."""
    orders = [
        {
            "amount": abs(sold),
            "safe_price": price,
            "ft_order_side": "sell" if sold > 0 else "buy",
            "order_filled_timestamp": START + hour * HOUR,
            "ft_is_entry": sold > 0,
            "ft_order_tag": "carry",
        }
        for hour, sold, price in fills
    ]
    return {
        "pair": pair,
        "max_stake_amount": 100.0,
        "amount": fills[0][1],
        "open_timestamp": START + opened * HOUR,
        "close_timestamp": START + fills[-1][0] * HOUR,
        "fee_open": 0.0005,
        "fee_close": 0.0005,
        "exit_reason": "funding",
        "is_short": True,
        "orders": orders,
        "funding_fees": 1.0,
        "weekday": 0,
    } | more


def document(*strategies: list[dict[str, Any]]) -> dict[str, Any]:
    about = {
        "timeframe": "1h",
        "starting_balance": 1000.0,
        "backtest_start_ts": START,
        "backtest_end_ts": START + (HOURS - 1) * HOUR,
    }
    return {
        "strategy": {
            f"Strategy{i}": {"trades": trades, "locks": [{"pair": "X"}, {"pair": "Y"}], **about}
            for i, trades in enumerate(strategies)
        },
        "strategy_comparison": [{"key": "x"}],
    }


def write(path: Path, content: dict[str, Any], indent: int | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("backtest-result-1_config.json", "{}")
        archive.writestr("backtest-result-1.json", json.dumps(content, indent=indent))
    return path


class FlatCandles:
    """A perpetual 1 % above spot until noon of the tenth day, at par after."""

    def load(self, symbol: str, timeframe: str, kind: str) -> pd.DataFrame:
        assert timeframe == "1h"
        if kind not in {"spot", "futures"}:
            return pd.DataFrame()
        dates = pd.to_datetime(START + HOUR * np.arange(HOURS), unit="ms", utc=True)
        spot = np.linspace(100, 200, HOURS)
        if kind == "spot":
            return pd.DataFrame({"date": dates, "open": spot / (1000 if symbol == "PEPE/USDT" else 1)})
        basis = np.where(np.arange(HOURS) < 9 * 24 + 12, 0.01, 0.0)
        return pd.DataFrame({"date": dates, "open": spot * (1 + basis)})

    def spot_symbols(self) -> Mapping[str, Mapping[str, object]]:
        return {"BTC/USDT": {}, "PEPE/USDT": {}}


def perp_at(hour: int) -> float:
    return float(np.linspace(100, 200, HOURS)[hour]) * (1.01 if hour < 9 * 24 + 12 else 1.0)


@pytest.mark.parametrize("block", [64, 200, 1000, 4096, 1 << 20])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("count", [0, 1, 2, 37])
def test_any_block_size_reads_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, indent: int | None, count: int
) -> None:
    """Wherever the pieces are cut, every trade is read once, of each strategy."""
    monkeypatch.setattr(result_file, "BLOCK", block)
    trades = [trade("BTC/USDT:USDT", i, [(i, 1.0 + i, 100.0), (i + 3, -1.0 - i, 99.0)]) for i in range(count)]
    odd = trade("ÄÖ/USDT:USDT", 0, [(0, 5.0, 1.0), (9, -5.0, 1.0)], exit_reason='odd },{"pair" ]"')
    path = write(tmp_path / "r.zip", document([*trades, odd], trades), indent)
    first, second = read_result(path), read_result(path, "Strategy1")
    assert first.count == count + 1
    assert first.pairs[-1] == "ÄÖ/USDT:USDT"
    assert first.reasons[-1] == 'odd },{"pair" ]"'
    (columns,) = first.chunks()
    assert columns.fill_sold[:-2].tolist() == [x for i in range(count) for x in (1.0 + i, -1.0 - i)]
    assert second.count == count
    assert sum(len(columns.fill_ms) for columns in second.chunks()) == 2 * count


def test_plain_json_and_latest(tmp_path: Path) -> None:
    """The newest result is found by Freqtrade's own pointer, packed or not."""
    content = document([trade("BTC/USDT:USDT", 0, [(0, 1.0, 100.0), (5, -1.0, 100.0)])])
    (tmp_path / "plain.json").write_text(json.dumps(content))
    (tmp_path / ".last_result.json").write_text('{"latest_backtest": "plain.json"}')
    assert read_result(latest_result(tmp_path)).count == 1


@pytest.mark.parametrize("text", ["", "{}", "nonsense", '{"strategy": 1}', '{"strategy": {"A": {"trades": [}}}'])
def test_what_is_no_result_is_named(tmp_path: Path, text: str) -> None:
    """A file that is no result ends in one line that names it."""
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"broken\.json"):
        read_result(path)


def test_refusals(tmp_path: Path) -> None:
    """No result, no such strategy, a long trade: each is said."""
    with pytest.raises(ConfigError, match="run freqtrade backtesting"):
        latest_result(tmp_path)
    path = write(tmp_path / "r.zip", document([trade("A/B:B", 0, [(0, 1, 1)], is_short=False)]))
    with pytest.raises(ConfigError, match="long"):
        read_result(path)
    path = write(tmp_path / "r.zip", document([]))
    with pytest.raises(ConfigError, match="Strategy0"):
        read_result(path, "Other")


def test_both_legs(tmp_path: Path) -> None:
    """A hedge entered at 1 % basis and left at par earns the basis and the funding less four fees."""
    fills = [(24, 2.0, perp_at(24)), (480, -2.0, perp_at(480))]
    report = evaluate(
        read_result(write(tmp_path / "r.zip", document([trade("BTC/USDT:USDT", 24, fills)]))), FlatCandles(), 0.001
    )
    spot_in = perp_at(24) / 1.01
    fees = 2 * (perp_at(24) + perp_at(480)) * 0.0005 + 2 * (spot_in + perp_at(480)) * 0.001
    ((_, result),) = report.results()
    assert result.basis == pytest.approx([2 * 0.01 * spot_in])
    assert report.summary.total == pytest.approx(2 * 0.01 * spot_in + 1.0 - fees)
    assert report.summary.exposure == pytest.approx(456 / (HOURS - 1))
    assert report.summary.peak_capital == pytest.approx(2 * spot_in + 100)


def test_partial_close_and_multiplier(tmp_path: Path) -> None:
    """A hedge closed in two parts, of a pair that counts in thousands, adds up."""
    fills = [(24, 3.0, perp_at(24)), (48, -1.0, perp_at(48)), (480, -2.0, perp_at(480))]
    result = document([trade("1000PEPE/USDT:USDT", 24, fills)])
    report = evaluate(read_result(write(tmp_path / "r.zip", result)), FlatCandles(), 0.0)
    spread = 0.01 / 1.01
    ((_, result),) = report.results()
    assert result.basis == pytest.approx([3 * perp_at(24) * spread - perp_at(48) * spread])


def test_equity_ends_at_the_total(tmp_path: Path) -> None:
    """Day by day, with open hedges valued, the equity arrives at the sum of all hedges, and shows the basis closing."""
    trades = [
        trade("BTC/USDT:USDT", 24, [(24, 2.0, perp_at(24)), (480, -2.0, perp_at(480))]),
        trade("1000PEPE/USDT:USDT", 30, [(30, 3.0, perp_at(30)), (100, -1.0, 95.0), (700, -2.0, perp_at(700))]),
    ]
    report = evaluate(read_result(write(tmp_path / "r.zip", document(trades))), FlatCandles(), 0.001)
    assert report.equity.iloc[-1] == pytest.approx(report.summary.total)
    moves = report.equity.diff()
    assert moves.idxmax() == pd.Timestamp("2024-01-10", tz="UTC")
    assert len(report.equity) == 40


def test_pair_without_spot_candles_is_left_out_and_counted(tmp_path: Path) -> None:
    """A trade without spot prices is not silently a naked short: it is counted, and in no sum."""
    trades = [
        trade("BTC/USDT:USDT", 24, [(24, 2.0, perp_at(24)), (480, -2.0, perp_at(480))]),
        trade("NOSPOT/USDT:USDT", 30, [(30, 3.0, 10.0), (100, -3.0, 5.0)]),
    ]
    report = evaluate(read_result(write(tmp_path / "r.zip", document(trades))), FlatCandles(), 0.001)
    assert (report.summary.trades, report.summary.unpriced) == (1, 1)
    assert report.by("pair").index.tolist() == ["BTC/USDT:USDT"]
    assert report.equity.iloc[-1] == pytest.approx(report.summary.total)


def test_tables_and_json(tmp_path: Path) -> None:
    """Each table sums to the whole, and the JSON holds nothing that JSON can't."""
    trades = [
        trade(
            "BTC/USDT:USDT",
            i,
            [(i, 1.0, perp_at(i)), (i + 200, -1.0, perp_at(i + 200))],
            exit_reason=f"r{i // 100 % 2}",
        )
        for i in range(0, 700, 100)
    ]
    report = evaluate(read_result(write(tmp_path / "r.zip", document(trades))), FlatCandles(), 0.001)
    for key, rows in (("pair", 1), ("month", 2), ("reason", 2)):
        table = report.by(key)
        assert len(table) == rows
        assert table["total"].sum() == pytest.approx(report.summary.total)
        assert table["trades"].sum() == 7
    with pytest.raises(ValueError, match="group"):
        report.by("colour")
    again = json.loads("".join(json_pieces(report)))
    assert again["summary"]["total"] == report.summary.total
    assert len(again["days"]) == 40
    assert sum(row["total"] for row in again["trades"]) == pytest.approx(report.summary.total)
    assert again["trades"][1]["opened"] == "2024-01-05T04:00Z"


def test_no_trades(tmp_path: Path) -> None:
    """A backtest without trades has an empty report, not an error."""
    report = evaluate(read_result(write(tmp_path / "r.zip", document([]))), FlatCandles(), 0.001)
    assert report.summary.trades == 0
    assert report.summary.total == 0.0
    again = json.loads("".join(json_pieces(report)))
    assert again["by"] == {"pair": [], "month": [], "reason": []}
    assert again["trades"] == []


def test_candle_files(tmp_path: Path) -> None:
    """Freqtrade's file names are understood; a file that is not there is an empty frame."""
    frame = FlatCandles().load("BTC/USDT", "1h", "spot")
    (tmp_path / "futures").mkdir()
    frame.to_feather(tmp_path / "BTC_USDT-1h.feather")
    frame.to_feather(tmp_path / "futures" / "BTC_USDT_USDT-1h-futures.feather")
    files = FeatherCandles(tmp_path)
    assert files.spot_symbols().keys() == {"BTC/USDT"}
    assert len(files.load("BTC/USDT", "1h", "spot")) == len(files.load("BTC/USDT:USDT", "1h", "futures")) == HOURS
    assert files.load("ETH/USDT", "1h", "spot").empty


def test_an_order_that_never_filled_is_no_fill(tmp_path: Path) -> None:
    """An order still waiting at the end of the backtest counts for nothing."""
    short = trade("BTC/USDT:USDT", 24, [(24, 2.0, perp_at(24)), (480, -2.0, perp_at(480))])
    short["orders"].append(short["orders"][1] | {"order_filled_timestamp": None})
    (columns,) = read_result(write(tmp_path / "r.zip", document([short]))).chunks()
    assert len(columns.fill_ms) == 2


class FundedCandles(FlatCandles):
    """Funding of 0.1 % of a mark price of 100 every 8 hours."""

    def load(self, symbol: str, timeframe: str, kind: str) -> pd.DataFrame:
        dates = pd.to_datetime(START + HOUR * np.arange(HOURS), unit="ms", utc=True)
        if kind == "mark":
            return pd.DataFrame({"date": dates, "open": 100.0})
        if kind == "funding_rate":
            return pd.DataFrame({"date": dates[::8], "funding_rate": 0.001})
        return super().load(symbol, timeframe, kind)


def test_funding_counts_on_the_day_it_was_settled(tmp_path: Path) -> None:
    """Both ends of a trade are settled, as Freqtrade does; half of it after a partial close."""
    fills = [(24, 2.0, perp_at(24)), (480, -1.0, perp_at(480)), (504, -1.0, perp_at(504))]
    short = trade("BTC/USDT:USDT", 24, fills, funding_fees=58 * 0.2 + 3 * 0.1)
    report = evaluate(read_result(write(tmp_path / "r.zip", document([short]))), FundedCandles(), 0.0)
    funding = report.daily["funding"].to_numpy()
    assert funding[:2] == pytest.approx([0.0, 0.6])
    assert funding[20:23] == pytest.approx([0.4, 0.1, 0.0])
    ((_, result),) = report.results()
    assert report.daily["naked"].iloc[-1] == pytest.approx(result.short[0] + 11.9 - 2 * perp_at(24) * 0.0005
        - (perp_at(480) + perp_at(504)) * 0.0005)  # fmt: skip
    assert report.funding_by_month.sum() == pytest.approx(11.9)


def test_funding_that_candles_do_not_explain_is_not_lost(tmp_path: Path) -> None:
    """Freqtrade's sum is the truth; the rest is spread over the days of the trade."""
    fills = [(0, 2.0, perp_at(0)), (95, -2.0, perp_at(95))]
    short = trade("BTC/USDT:USDT", 0, fills, funding_fees=12 * 0.2 + 4.0)
    report = evaluate(read_result(write(tmp_path / "r.zip", document([short]))), FundedCandles(), 0.0)
    assert report.daily["funding"].to_numpy()[:5] == pytest.approx([1.6, 1.6, 1.6, 1.6, 0.0])


def test_tables_show_every_part(tmp_path: Path) -> None:
    """In 80 columns, too, both legs, funding and fees are there, and what was left out is said."""
    trades = [
        trade("1000PEPE/USDT:USDT", 24, [(24, 2e5, perp_at(24)), (480, -2e5, perp_at(480))]),
        trade("NOSPOT/USDT:USDT", 30, [(30, 3.0, 10.0), (100, -3.0, 5.0)]),
    ]
    report = evaluate(read_result(write(tmp_path / "r.zip", document(trades))), FlatCandles(), 0.001)
    console = Console(width=80, record=True)
    console.print(*tables(report), trade_table(report, 10))
    text = console.export_text()
    for part in ("Short leg", "Spot leg", "basis", "Funding", "Fees", "Left out", "By pair", "By month", "By exit"):
        assert part in text
    assert f"{report.summary.total:,.2f} USDT" in text
    assert "…" not in text
    assert all(whole in text for whole in ("1000PEPE/USDT", "2024-01-02", "-9,305k", "205k"))
    assert "The last 1 of 2" in "".join(str(trade_table(report, 1).title))


def many(count: int) -> list[dict[str, Any]]:
    """Trades of three pairs, one of them without spot candles; some closed in two parts, some open for a day."""
    trades = []
    for i in range(count):
        pair = ("BTC/USDT:USDT", "1000PEPE/USDT:USDT", "NOSPOT/USDT:USDT")[i % 3]
        begin, end = i % 700, i % 700 + 24 + i % 190
        parts = [(end - 9, -0.5, perp_at(end - 9)), (end, -0.5, perp_at(end))] if i % 4 else [(end, -1.0, perp_at(end))]
        trades.append(trade(pair, begin, [(begin, 1.0, perp_at(begin)), *parts], exit_reason=f"r{i % 5}"))
    return trades


def test_chunks_change_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report over many chunks is the report over one, in every sum, day, group and trade, in the same order."""
    path = write(tmp_path / "r.zip", document(many(400)))
    monkeypatch.setattr(result_file, "BLOCK", 4096)

    def figures(chunk: int) -> Any:
        monkeypatch.setattr(result_file, "CHUNK", chunk)
        report = evaluate(read_result(path), FundedCandles(), 0.001)
        return json.loads("".join(json_pieces(report))), len(list(report.results()))

    (whole, one), (parts, several) = figures(100_000), figures(20)
    assert (one, several > 15) == (1, True)
    assert parts["trades"] == whole["trades"]
    assert [row["total"] is None for row in whole["trades"]] == [i % 3 == 2 for i in range(400)]
    for ours, theirs in ((parts["summary"], whole["summary"]), (parts["funding_by_month"], whole["funding_by_month"])):
        assert ours == pytest.approx(theirs, rel=1e-9)
    for ours, theirs in zip(
        chain(parts["days"], *parts["by"].values()), chain(whole["days"], *whole["by"].values()), strict=True
    ):
        words = {name for name, value in theirs.items() if isinstance(value, str)}
        assert {name: ours[name] for name in words} == {name: theirs[name] for name in words}
        assert [ours[n] for n in theirs if n not in words] == pytest.approx(
            [theirs[n] for n in theirs if n not in words], rel=1e-9, abs=1e-7
        )


def test_last_trades_over_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trades may be left out at the start, wherever chunks end."""
    monkeypatch.setattr(result_file, "CHUNK", 1)
    monkeypatch.setattr(result_file, "BLOCK", 1024)
    report = evaluate(read_result(write(tmp_path / "r.zip", document(many(9)))), FlatCandles(), 0.0)
    every = list(trade_records(report))
    assert len(every) == 9
    for first in range(11):
        assert list(trade_records(report, first)) == every[first:]


def test_memory_does_not_grow_with_trades(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times the trades need no more memory to be read, evaluated and listed."""
    monkeypatch.setattr(result_file, "CHUNK", 512)
    monkeypatch.setattr(result_file, "BLOCK", 1 << 16)

    def highest(count: int) -> int:
        path = write(tmp_path / f"{count}.zip", document(many(count)))
        tracemalloc.start()
        report = evaluate(read_result(path), FlatCandles(), 0.001)
        assert sum(len(piece) for piece in json_pieces(report)) > count * 100
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    highest(600)  # what is imported or cached on first use is not of the trades
    assert highest(8000) < 1.1 * highest(2000)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 9)), max_size=12),
    st.integers(1, 4),
)
def test_what_is_open_at_once(trades: list[tuple[int, int, int]], step: int) -> None:
    """Peak and duration are those of counting moment by moment; a trade is open at both of its ends."""
    levels, spans = Levels(), [(min(one, other), max(one, other), amount) for one, other, amount in trades]
    for start in range(0, len(spans), step):
        opened, closed, amounts = (np.array(column) for column in zip(*spans[start : start + step], strict=True))
        levels.add(opened, closed, amounts.astype(float))
    at = [sum(amount for begin, end, amount in spans if begin <= moment <= end) for moment in range(13)]
    assert levels.peak == pytest.approx(max(at, default=0))
    assert levels.held_ms == sum(any(begin <= hour < end for begin, end, _ in spans) for hour in range(12))
