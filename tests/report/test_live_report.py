"""The report of a running bot: what adds up, what is filtered, what is compared, and every mistake in one line."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import new_database
from figures import Figures
from made_up import BEGIN, BOT, write_books

from freqtrade_fundhedge.cli import run
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_history import SpotFill, hedges_of
from freqtrade_fundhedge.journal_rows import iso
from freqtrade_fundhedge.journal_trail import Wish
from freqtrade_fundhedge.report.ledger import PricePoint, open_ledger
from freqtrade_fundhedge.report.live_sums import KEYS, PARTS
from freqtrade_fundhedge.report.reconcile import our_sums, reconcile
from freqtrade_fundhedge.report.shorts import Short, ShortFill, read_shorts
from freqtrade_fundhedge.venue.income import Income

COUNT = 24


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A folder with a configuration and both databases."""
    monkeypatch.chdir(tmp_path)
    config = write_books(tmp_path, COUNT)
    Path("config.json").write_text(json.dumps(config))
    return config


def report(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    assert run(["report", "--json", *options]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    found: dict[str, Any] = json.loads(out)
    return found


def check_sums(given: dict[str, Any]) -> None:
    """Each hedge adds up, and the hedges add up to every sum."""
    for row in given["hedges"]:
        assert row["short"] + row["spot"] + row["funding"] - row["fees"] == pytest.approx(row["total"], abs=1e-9)
        assert row["short"] + row["spot"] == pytest.approx(row["basis"], abs=1e-9)
    for rows in (given["hedges"], *given["by"].values()):
        for part in PARTS:
            assert sum(row[part] for row in rows) == pytest.approx(given["summary"][part], abs=1e-6)
    assert given["equity"][-1]["equity"] == pytest.approx(given["summary"]["total"], abs=1e-6)
    for name in ("settlements", "funding"):
        assert sum(row["amount"] for row in given[name]) == pytest.approx(given["summary"]["funding"], abs=1e-6)


@pytest.mark.usefixtures("books")
def test_everything_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    """Parts, hedges, groups, settlements and the curve all come to the same total; open hedges are marked."""
    given = report(capsys)
    check_sums(given)
    assert given["summary"]["hedges"] == len(given["hedges"]) == COUNT
    assert [row["state"] for row in given["hedges"]].count("open") == given["summary"]["open"] == 2
    assert set(given["by"]) == set(KEYS)
    assert given["summary"]["return_on_capital"] is not None
    times = [row["at"] for row in given["equity"]]
    assert times == sorted(times)
    assert {row["direction"] for row in given["reliability"]} == {"sweep", "top-up"}
    assert all(0 < row["median_s"] <= row["worst_s"] for row in given["reliability"])
    assert sum(row["done"] for row in given["reliability"]) == len(given["transfers"])


@pytest.mark.usefixtures("books")
def test_days_and_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    """Closed hedges belong to one side of a date, open ones to now; a pair's report has its hedges, no transfers."""
    whole = report(capsys)
    before, after = report(capsys, "--until", "2026-01-31"), report(capsys, "--since", "2026-02-01")
    for given in (before, after):
        check_sums(given)
    closed = [{row["id"] for row in given["hedges"] if row["closed"]} for given in (before, after)]
    assert closed[0] & closed[1] == set()
    assert closed[0] | closed[1] == {row["id"] for row in whole["hedges"] if row["closed"]}
    assert {row["id"] for row in whole["hedges"] if not row["closed"]} <= {row["id"] for row in after["hedges"]}
    assert len(before["transfers"]) + len(after["transfers"]) == len(whole["transfers"])
    one = report(capsys, "--pair", "ETH/USDT")
    check_sums(one)
    assert {row["pair"] for row in one["hedges"]} == {"ETH/USDT:USDT"}
    assert one["transfers"] == one["wallets"] == []
    assert len(one["hedges"]) == sum(row["pair"] == "ETH/USDT:USDT" for row in whole["hedges"])


@pytest.mark.usefixtures("books")
def test_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """No line is wider than a terminal, and open hedges are marked."""
    assert run(["report", "--trades"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80
    for words in ("Live on binance", "Total", "By pair", "By exit reason", "Transfers", "Both legs", "USDT*"):
        assert words in out


def test_both_databases(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                        capsys: pytest.CaptureFixture[str], books: dict[str, Any]) -> None:  # fmt: skip
    """PostgreSQL for the journal and for Freqtrade's trades gives the figures of SQLite."""
    there = write_books(tmp_path, COUNT, journal_url=new_database(postgres), trades_url=new_database(postgres))
    Path("there.json").write_text(json.dumps(there))
    assert report(capsys, "-c", "there.json")["hedges"] == report(capsys)["hedges"]


def test_beside_a_writer(books: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """While Freqtrade holds a write transaction its trades can be read, and nothing of either file changes."""
    with contextlib.closing(sqlite3.connect("trades.sqlite", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE trades SET exit_reason = 'not yet'")
        reasons = {row["reason"] for row in report(capsys)["by"]["reason"]}
        writer.execute("ROLLBACK")
    assert "not yet" not in reasons
    before = [Path(name).read_bytes() for name in ("trades.sqlite", "trades-fundhedge.sqlite")]
    report(capsys)
    assert before == [Path(name).read_bytes() for name in ("trades.sqlite", "trades-fundhedge.sqlite")]


@pytest.mark.usefixtures("books")
def test_a_trade_that_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    """A hedge whose trade was deleted keeps its total by the journal's account, and the reader is told."""
    whole = {row["id"]: row for row in report(capsys)["hedges"]}
    with contextlib.closing(sqlite3.connect("trades.sqlite")) as db, db:
        db.execute("DELETE FROM trades WHERE id = 1")
        db.execute("UPDATE trades SET id = 999 WHERE id = 2")
    given = report(capsys)
    check_sums(given)
    assert len(given["notes"]) == 2
    assert "2 hedges have no trade" in given["notes"][1]
    assert "1 short trades of Freqtrade's have no hedge" in given["notes"][0]
    for row in given["hedges"]:
        assert row["total"] == pytest.approx(whole[row["id"]]["total"], abs=1e-6)


@pytest.mark.usefixtures("books")
def test_the_guard(capsys: pytest.CaptureFixture[str]) -> None:
    """Steps and changes of margin are in the JSON, the page and, the last ones, in 80 columns; a pair has its own."""
    assert run(["report", "--html", "page.html"]) == 0
    table = capsys.readouterr().out.partition("Steps of the margin guard")[2]
    assert "the last 10 of 16" in " ".join(table.split())
    assert all(len(line) <= 80 for line in table.splitlines())
    assert "asked to shrink" in table
    given = report(capsys)
    steps, changes = given["guard"], given["margin_changes"]
    assert [len(steps), len(changes), len(given["hedges"])] == [16, 16, COUNT]
    done = [row for row in changes if row["state"] == "done"]
    assert sorted(row["amount"] for row in done) == sorted(row["amount"] for row in steps if row["amount"] != 0.25)
    shrink = next(row for row in steps if row["step"] == "asked to shrink")
    assert (shrink["amount"], shrink["distance"]) == (0.25, 0.04)
    page = Figures(Path("page.html").read_text())
    assert page.found["guard"] == [row[n] for row in reversed(steps) for n in ("amount", "distance")]
    names = ("amount", "margin_before", "settled_s")
    assert page.found["margins"] == [row[n] for row in reversed(changes) for n in names]
    assert "margin added to shorts, and taken back" in Path("page.html").read_text()
    of_pair = report(capsys, "--pair", steps[0]["pair"])
    assert of_pair["guard"] == [row for row in steps if row["pair"] == steps[0]["pair"]] != steps


@pytest.fixture
def hedge(tmp_path: Path) -> Iterator[Any]:
    """A journal's row of one hedge of a multiplied pair, all of it closed but some dust."""
    journal = Journal(f"sqlite:///{tmp_path}/one.sqlite", BOT)
    row = journal.hedge(1, BEGIN, "1000PEPE/USDT:USDT", "PEPE/USDT")
    journal.note_hedge(row.id, state="closed", closed_at=iso(BEGIN + 100), held="5", spot_cash="-3.1",
                       spot_fees="2.0", funding="4.0", short_realised="-1")  # fmt: skip
    yield hedges_of(journal.engine, BOT, Wish())[0]
    journal.close()


def test_one_hedge_by_hand(hedge: Any) -> None:
    """Two thousand PEPE short and long, sold in halves, each figure worked out by hand."""
    short = Short(1, hedge.pair, BEGIN, BEGIN + 100, "funding_turned", 10.0, -1.0, 4.0, [
        ShortFill(BEGIN, 2.0, 10.0, 0.5), ShortFill(BEGIN + 50, -1.0, 12.0, 0.25),
        ShortFill(BEGIN + 100, -1.0, 9.0, 0.25),
    ])  # fmt: skip
    fills = [SpotFill(hedge.id, BEGIN + 1, True, 2005.0, 2005.0 * 0.0099, 0.0, 0.0),
             SpotFill(hedge.id, BEGIN + 51, False, 1000.0, 11.9, 0.0, 1.0),
             SpotFill(hedge.id, BEGIN + 99, False, 1000.0, 8.9, 0.0, 1.0)]  # fmt: skip
    prices = [PricePoint(BEGIN + 20, 11.0, 0.0109)]
    ledger, steps = open_ledger(hedge, short, fills, [(BEGIN + 30, 3.0)], prices)
    assert ledger.short == pytest.approx(20 - 12 - 9)
    assert ledger.spot == pytest.approx(-3.1 + 2.0 + 5 * 0.0089)
    assert ledger.fees == pytest.approx(0.5 + 0.25 + 0.25 + 2.0)
    assert ledger.funding == 4.0
    assert ledger.settlements == [(BEGIN + 30, 3.0), (BEGIN + 100, pytest.approx(1.0))]
    assert ledger.basis_at(10.0, 0.0099) == pytest.approx(10 / 9.9 - 1)
    assert our_sums(ledger) == pytest.approx({"funding": 4.0, "commission": -1.0, "realised": -1.0})
    assert sum(step.hedged for step in steps) == pytest.approx(ledger.total)
    after = {round(step.at - BEGIN): step for step in steps}
    # The price of both legs rose by a tenth: the short lost 2, its coins gained 2005 x 0.001.
    assert after[20].naked == pytest.approx(-2.0)
    assert after[20].hedged == pytest.approx(-2.0 + 2005 * 0.001)


def test_each_line_finds_its_hedge(hedge: Any) -> None:
    """Income counts for the hedge open in its symbol at its time; the rest is elsewhere, other coins are apart."""
    short = Short(1, hedge.pair, BEGIN, BEGIN + 100, "", 0.0, 0.0, 4.0, [ShortFill(BEGIN, 1.0, 10.0, 0.5)])
    ledger, _ = open_ledger(hedge, short, (), (), ())
    symbol = "1000PEPEUSDT"
    lines = [Income("funding", symbol, "USDT", 4.0, BEGIN + 40), Income("commission", symbol, "USDT", -0.5, BEGIN - 5),
             Income("commission", symbol, "BNB", -0.1, BEGIN + 5), Income("funding", symbol, "USDT", 7.0, BEGIN + 900),
             Income("realised", "BTCUSDT", "USDT", 1.0, BEGIN + 5)]  # fmt: skip
    found = reconcile([ledger], lines, BEGIN - 1000, "USDT")
    assert found.total("exchange") == {"funding": 4.0, "commission": -0.5, "realised": 0.0}
    assert found.total("ours") == {"funding": 4.0, "commission": -0.5, "realised": 0.0}
    assert found.elsewhere == {"funding": 7.0, "commission": 0.0, "realised": 1.0}
    assert found.other_coins == {"BNB": -0.1}
    assert not reconcile([ledger], lines, BEGIN + 10, "USDT").hedges[0].covered


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"dry_run": True}, "a dry-run has no account"),
        ({}, "exchange.key and exchange.secret are not in this configuration"),
        ({"exchange": {"name": "binance", "key": "k", "secret": "s", "ccxt_config": {
            "httpsProxy": "http://127.0.0.1:9/"}}}, "Not compared with the exchange"),
    ],
)  # fmt: skip
def test_no_comparison_is_said(books: dict[str, Any], changes: dict[str, Any], told: str,
                               capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """Without an account, a key or the network the report says so and goes on; no key is shown."""
    config = books | changes
    if config["dry_run"]:
        config["bot_name"] = BOT
    Path("config.json").write_text(json.dumps(config))
    given = report(capsys, "--reconcile")
    assert given["reconciliation"] is None
    assert told in given["notes"][-1]


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str], code: int = 2) -> str:
    assert run(["report", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.usefixtures("books")
def test_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    """Options of the other report, bad dates, a missing or foreign database: one line each."""
    assert "--strategy: only for a report of a backtest" in refused(["--strategy", "X"], capsys)
    assert "--since: only for a report of a running bot" in refused(
        ["--backtest", "latest", "--since", "2026-01-01"], capsys
    )
    assert "--since 'soon'" in refused(["--since", "soon"], capsys)
    assert "--html no/page.html" in refused(["--html", "no/page.html"], capsys)
    with contextlib.closing(sqlite3.connect("trades-fundhedge.sqlite")) as db, db:
        db.execute("UPDATE events SET data = '[1]' WHERE kind = 'funding'")
    assert "figures make no sense" in refused([], capsys, 1)
    Path("trades.sqlite").write_bytes(b"no database at all, but long enough to be looked at as one by SQLite")
    assert "Freqtrade's database" in refused([], capsys, 1)
    Path("trades.sqlite").unlink()
    assert "check db_url and dry_run" in refused([], capsys)


def test_an_empty_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A bot that has not hedged yet has a report, and a page, that say so."""
    monkeypatch.chdir(tmp_path)
    config = write_books(tmp_path, 3)
    Path("config.json").write_text(json.dumps(config | {"bot_name": "another"}))
    assert run(["report", "--html", "page.html"]) == 0
    out = capsys.readouterr().out
    assert "No hedge that fits." in out
    assert '"carry"' in out
    assert "no hedge yet" in Path("page.html").read_text()


def test_shorts_of_a_memory_database() -> None:
    """A database that lives in Freqtrade's memory can't be read by anybody else."""
    with pytest.raises(ValueError, match="kept in memory"):
        read_shorts("sqlite://")
