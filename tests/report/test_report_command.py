"""`fundhedge report`: for people, for machines, as a page; and every mistake ends in one line."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from figures import Figures
from report.test_backtest_report import FundedCandles, document, perp_at, trade, write

from freqtrade_fundhedge.cli import run
from freqtrade_fundhedge.report.backtest import PARTS, evaluate
from freqtrade_fundhedge.report.page import page_pieces
from freqtrade_fundhedge.report.result_file import read_result
from freqtrade_fundhedge.report.tables import SUMMARY

PAIR = "BTC/USDT:USDT"
TRADES = [trade(PAIR, i, [(i, 1.0, perp_at(i)), (i + 90, -1.0, perp_at(i + 90))]) for i in range(0, 900, 100)]
CONFIG = {
    "trading_mode": "futures",
    "margin_mode": "isolated",
    "stake_currency": "USDT",
    "exchange": {"name": "binance", "key": "", "secret": ""},
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder: configuration, candles of BTC, a result."""
    monkeypatch.chdir(tmp_path)
    Path("config.json").write_text(json.dumps(CONFIG))
    data, results = Path("user_data/data/binance"), Path("user_data/backtest_results")
    (data / "futures").mkdir(parents=True)
    results.mkdir()
    candles = FundedCandles()
    candles.load("BTC/USDT", "1h", "spot").to_feather(data / "BTC_USDT-1h.feather")
    for kind in ("futures", "mark", "funding_rate"):
        candles.load(PAIR, "1h", kind).to_feather(data / "futures" / f"BTC_USDT_USDT-1h-{kind}.feather")
    write(results / "backtest-result-2026-01-01.zip", document(TRADES))
    return tmp_path


def test_the_latest_result_is_shown_in_80_columns(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The latest result is found, and no line is wider than a terminal."""
    assert run(["report", "--backtest", "latest", "--trades"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80
    for words in ("Backtest of 2024-01-01", "Total", "By pair", "By month", "By exit reason", "Hedges"):
        assert words in out


def test_the_page_has_the_figures_of_the_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each figure of the page is one of the JSON's, to the last digit, and the page loads nothing."""
    assert run(["report", "--backtest", "latest", "--json", "--html", "page.html"]) == 0
    given = json.loads(capsys.readouterr().out)
    page = Figures(Path("page.html").read_text())
    assert [load for load in page.loads if not load.startswith(("#", "data:"))] == []
    summary = given["summary"]
    assert page.found["cards"] == [
        summary[name] for name in ("total", "return_on_capital", "drawdown", "sharpe", "exposure")
    ]
    assert page.found["summary"] == [summary[name] for name, *_ in SUMMARY if name != "unpriced"]
    order = ("total", "return", "funding", "fees", "basis", "short", "spot", "trades", "mean hours")
    for key in ("pair", "month", "reason"):
        assert page.found[f"by-{key}"] == [row[name] for row in given["by"][key] for name in order]
    parts = ("total", "funding", "fees", "basis", "short", "spot")
    assert page.found["by-hedges"] == [row[name] for row in given["trades"] for name in parts]


def test_the_json_adds_up(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trades, days and months of the JSON sum to its total."""
    assert run(["report", "--json", "--backtest", "user_data/backtest_results/backtest-result-2026-01-01.zip"]) == 0
    given = json.loads(capsys.readouterr().out)
    total = given["summary"]["total"]
    assert len(given["trades"]) == given["summary"]["trades"] == len(TRADES)
    for row in given["trades"]:
        assert abs(row["short"] + row["spot"] + row["funding"] - row["fees"] - row["total"]) < 1e-9 * row["notional"]
    for rows in (given["trades"], given["by"]["pair"], given["by"]["month"], given["by"]["reason"]):
        for part in PARTS:
            assert sum(row[part] for row in rows) == pytest.approx(given["summary"][part])
    assert given["days"][-1]["equity"] == pytest.approx(total)
    assert sum(given["funding_by_month"].values()) == pytest.approx(given["summary"]["funding"])
    assert min(day["drawdown"] for day in given["days"]) == pytest.approx(-given["summary"]["drawdown"])


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["report", *([] if "--backtest" in arguments else ["--backtest", "latest"]), *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_a_file_that_is_no_result_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Missing, a folder, no archive, a damaged archive, another archive: one line each, with the name."""
    whole = Path("user_data/backtest_results/backtest-result-2026-01-01.zip").read_bytes()
    Path("text.zip").write_text("no archive")
    Path("cut.zip").write_bytes(whole[: len(whole) // 2])
    Path("flipped.zip").write_bytes(whole[:200] + bytes(byte ^ 0x55 for byte in whole[200:400]) + whole[400:])
    shutil.make_archive("other", "zip", "user_data/data")
    for name, told in (
        ("nothing.zip", "no such file"),
        ("user_data", "is a directory"),
        ("text.zip", "not a Freqtrade backtest result"),
        ("cut.zip", "not a Freqtrade backtest result"),
        ("flipped.zip", "not a Freqtrade backtest result"),
        ("other.zip", "not a Freqtrade backtest result"),
    ):
        assert f"{name}" in (message := refused(["--backtest", name], capsys))
        assert told in message


def test_another_strategy_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A result with long trades, or without the strategy that was asked for, is refused in one line."""
    write(Path("long.zip"), document([trade(PAIR, 0, [(0, 1.0, 1.0)], is_short=False)]))
    assert "another strategy?" in refused(["--backtest", "long.zip"], capsys)
    assert "has no strategy 'Other'; it has Strategy0" in refused(["--strategy", "Other"], capsys)


def test_an_empty_result_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A backtest without trades has nothing to report, and a folder without results names the command to run."""
    write(Path("empty.zip"), document([]))
    assert "made no trades" in refused(["--backtest", "empty.zip"], capsys)
    shutil.rmtree("user_data/backtest_results")
    assert "run freqtrade backtesting first" in refused([], capsys)


def test_missing_candles_are_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without spot candles there is no hedge to value: pair, timeframe and folder are named."""
    Path("user_data/data/binance/BTC_USDT-1h.feather").unlink()
    message = refused([], capsys)
    assert all(words in message for words in ("1h candles", "user_data/data/binance", PAIR, "--datadir"))


def test_a_page_that_cannot_be_written_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page never overwrites in part, and a folder that is not there is named."""
    assert "--html no/page.html: no such file" in refused(["--html", "no/page.html"], capsys)
    Path("taken").mkdir()
    assert "--html taken: is a directory" in refused(["--html", "taken"], capsys)
    assert not list(Path().glob(".taken*"))


def test_candles_in_another_format_are_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only feather is read; another format is not taken for missing candles."""
    Path("config.json").write_text(json.dumps(CONFIG | {"dataformat_ohlcv": "parquet"}))
    assert "freqtrade convert-data" in refused([], capsys)


@pytest.mark.parametrize("days", [1, 3, 40, 200, 700, 2500])
def test_a_page_of_any_length_is_drawn(days: int, tmp_path: Path) -> None:
    """From a day to seven years, without a warning, with ids that are unique and text that is text."""
    content = document(TRADES[:1])
    about = content["strategy"]["Strategy0"]
    about["backtest_end_ts"] = about["backtest_start_ts"] + (days - 1) * 86_400_000
    about["trades"][0]["exit_reason"] = "<b>&"
    page = "".join(
        page_pieces(evaluate(read_result(write(tmp_path / "r.zip", content)), FundedCandles(), 0.001), "USDT")
    )
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "&lt;b&gt;&amp;" in page
    assert page.count("<svg") == 8
    assert "#0a0b" not in page
    assert ">BTC/USDT</text>" in page
    assert pd.Timestamp("2024-01-01").strftime("%Y-%m-%d") in page
