"""The same path on paper: no key, no private request, one wallet that Freqtrade and the journal agree on."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from figures import Figures
from harness import BTC, Run, running

from freqtrade_fundhedge.cli import run as fundhedge

pytestmark = pytest.mark.e2e
SETTINGS: dict[str, Any] = {
    "dry_run": True,
    "dry_run_wallet": 100,
    "exchange": {"key": None, "secret": None},
    "fundhedge": {"paper": {"spot_usdt": 5000}},
}
MOVED = "select direction, amount from transfers where state = 'done' order by serial"


def in_freqtrade(run: Run) -> Decimal:
    """USDT that Freqtrade's wallet shows, locked margin included."""
    rows: list[dict[str, Any]] = run.rest("GET", "balance")["currencies"]
    return Decimal(str(next((row["balance"] for row in rows if row["currency"] == "USDT"), 0)))


def check_wallet(run: Run) -> None:
    """Freqtrade's wallet is what it began with, what transfers moved, and what closed trades made."""
    sign = {"futures_to_spot": -1, "spot_to_futures": 1}
    moved = sum((sign[row["direction"]] * Decimal(row["amount"]) for row in run.journal(MOVED)), Decimal(0))
    made = sum((Decimal(row["short_realised"]) for row in run.journal("select * from hedges")), Decimal(0))
    assert abs(in_freqtrade(run) - (100 + moved + made)) < Decimal("1e-6")


def test_paper_hedge(tmp_path: Path) -> None:
    """A paper hedge opens, survives a restart, closes and is swept, and Freqtrade's wallet shows each transfer."""
    with running(tmp_path, SETTINGS) as run:
        run.start()
        run.wait("a paper hedge", lambda: run.journal("select * from spot_orders where state = 'done'"))
        run.hold_entries()
        run.loops(2)
        check_wallet(run)
        before, transfers = in_freqtrade(run), run.journal(MOVED)
        assert [row["direction"] for row in transfers] == ["futures_to_spot", "spot_to_futures", "futures_to_spot"]
        run.stop()
        run.start()
        run.hold_entries()
        run.loops(1)
        assert (in_freqtrade(run), run.journal(MOVED)) == (before, transfers)
        for part in ("0.4", "1"):
            run.close(BTC, part)
            run.loops(1)
            check_wallet(run)
        assert in_freqtrade(run) < 1
        assert len(run.journal(MOVED)) == 5
        orders = run.journal("select side, state from spot_orders order by serial")
        assert [(row["side"], row["state"]) for row in orders] == [("buy", "done"), ("sell", "done"), ("sell", "done")]
        hedge = run.journal("select * from hedges")[0]
        assert hedge["state"] == "closed"
        assert 0 <= Decimal(hedge["held"]) < BTC.lot
        asked = run.requests(".*", ".*")
        assert [r for r in asked if r["method"] != "GET" or "signature" in r["params"]] == []


def test_a_new_user_looks_at_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Page, JSON and tables of a paper bot are its journal's and its wallet's; FreqUI gets the plots and the spans."""
    with running(tmp_path, SETTINGS) as run:
        run.start()
        run.wait("a paper hedge", lambda: run.journal("select * from spot_orders where state = 'done'"))
        run.hold_entries()
        run.loops(2)
        check_frequi(run)
        for command in ("status", "journal", "report", "doctor"):
            assert "Traceback" not in shown(run, capsys, command), command
        assert "takes the live keys" in shown(run, capsys, "status", "--exchange")
        open_now = json.loads(shown(run, capsys, "report", "--json"))
        assert (open_now["mode"], open_now["summary"]["open"], open_now["notes"]) == ("dry-run", 1, [])
        run.close(BTC)
        run.loops(2)
        given = json.loads(shown(run, capsys, "report", "--json", "--html", str(tmp_path / "page.html")))
        (row,) = run.journal("select * from hedges")
        (hedge,) = given["hedges"]
        assert hedge["state"] == row["state"] == "closed"
        made = Decimal(row["short_realised"]) + Decimal(row["spot_cash"])
        dust = Decimal(row["held"]) * Decimal(str(hedge["spot_price"] or run.price(BTC)))
        assert abs(Decimal(str(given["summary"]["total"])) - made - dust) < Decimal("0.01")
        trade = run.rest("GET", f"trade/{row['trade_id']}")
        assert abs(Decimal(str(trade["profit_abs"])) - Decimal(row["short_realised"])) < Decimal("1e-6")
        last = next(w for w in reversed(given["wallets"]) if w["futures"] is not None)
        assert abs(Decimal(str(last["futures"])) - in_freqtrade(run)) < Decimal("0.01")
        moved = sum((Decimal(r["amount"]) for r in run.journal(MOVED)), Decimal(0))
        assert abs(Decimal(str(sum(r["moved"] for r in given["reliability"]))) - moved) < Decimal("1e-6")
        page = Figures((tmp_path / "page.html").read_text())
        assert page.found["cards"][0] == given["summary"]["total"]
        assert f"{given['summary']['total']:,.2f}" in shown(run, capsys, "report")


def shown(run: Run, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command prints beside the running bot, in 80 columns."""
    command, *options = arguments
    assert fundhedge([command, "-c", str(run.folder / "config.json"), *options]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    told = [line for line in out.splitlines() if str(run.folder) not in line]
    assert "--json" in options or max(map(len, told)) <= 80, out
    return str(out)


def check_frequi(run: Run) -> None:
    """Each plotted column is in the candles that FreqUI asks for, and so is the span in which the hedge pays."""
    plots = run.rest("GET", "plot_config")
    columns = {*plots["main_plot"], *(name for sub in plots["subplots"].values() for name in sub)}
    asked = {"pair": BTC.pair, "timeframe": "1h", "limit": 500}
    candles = run.rest("POST", "pair_candles", **asked, columns=sorted(columns))
    assert columns <= set(candles["columns"])
    last = dict(zip(candles["columns"], candles["data"][-1], strict=True))
    assert [name for name in sorted(columns) if last[name] is None] == []
    (span, *_) = candles["annotations"][-1:]
    assert (span["type"], span["label"]) == ("area", "hedge pays")
    begin, end, last_candle = map(datetime.fromisoformat, (span["start"], span["end"], candles["data_stop"]))
    assert begin < end <= last_candle
