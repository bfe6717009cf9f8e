"""The report of a real bot: the page's figures are the command's, and those are the exchange's books, to the cent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from figures import Figures
from harness import BTC, ETH, PEPE, Market, Run, running

from freqtrade_fundhedge.cli import run as fundhedge
from freqtrade_fundhedge.report.live_sums import PARTS
from freqtrade_fundhedge.report.page import COLUMNS

pytestmark = pytest.mark.e2e
ALL = (BTC, ETH, PEPE)
CENT = 0.01


def report(run: Run, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """The command's JSON, read beside the running bot."""
    assert fundhedge(["report", "-c", str(run.folder / "config.json"), "--json", *options]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    found: dict[str, Any] = json.loads(out)
    return found


def by_books(books: dict[str, Any], market: Market, spot_price: float) -> dict[str, float]:
    """What one market brought, by the exchange's own books; coins that are left count at `spot_price`."""
    income = dict.fromkeys(("FUNDING_FEE", "COMMISSION", "REALIZED_PNL"), Decimal(0))
    for row in books["income"]:
        if row["symbol"] == market.symbol and row["kind"] in income:
            income[row["kind"]] += Decimal(row["amount"])
    cash = coins = fees = taken_in_coins = Decimal(0)
    for order in books["orders"]["spot"]:
        for fill in order["fills"] if order["symbol"] == market.spot else ():
            price, amount, fee = Decimal(fill["price"]), Decimal(fill["qty"]), Decimal(fill["commission"])
            sign = 1 if order["side"] == "BUY" else -1
            in_coin = fill["asset"] == market.coin
            cash -= sign * price * amount
            coins += sign * amount - (fee if in_coin else 0)
            fees += fee * price if in_coin else fee
            taken_in_coins += fee * price if in_coin else 0
    # Coins that a fee took were not lost to the price.
    spot = cash + coins * Decimal(str(spot_price)) + taken_in_coins
    short, paid = income["REALIZED_PNL"], fees - income["COMMISSION"]
    parts = {
        "short": short, "spot": spot, "basis": short + spot, "funding": income["FUNDING_FEE"], "fees": paid,
        "total": short + spot + income["FUNDING_FEE"] - paid,
    }  # fmt: skip
    return {name: float(value) for name, value in parts.items()}


def check_against_books(run: Run, given: dict[str, Any], markets: Sequence[Market]) -> None:
    """Each pair and the whole are what the exchange's books say."""
    books = run.books()
    hedges = {row["pair"]: row for row in given["hedges"]}
    expected = {m.pair: by_books(books, m, hedges[m.pair]["spot_price"]) for m in markets}
    for row in given["by"]["pair"]:
        for part in PARTS:
            assert abs(row[part] - expected[row["pair"]][part]) < CENT, (row["pair"], part)
    for part in PARTS:
        whole = sum(parts[part] for parts in expected.values())
        assert abs(given["summary"][part] - whole) < CENT, part
    made = Decimal(books["equity"]["total"]) - Decimal(books["equity"]["deposits"])
    assert abs(given["summary"]["total"] - float(made)) < CENT
    moved = sum(Decimal(t["amount"]) for t in books["transfers"])
    assert abs(sum(row["moved"] for row in given["reliability"]) - float(moved)) < CENT


def check_page(page: Figures, given: dict[str, Any]) -> None:
    """Each figure of the page is the JSON's."""
    assert [load for load in page.loads if not load.startswith(("#", "data:"))] == []
    names = ("total", "funding", "return_on_capital", "drawdown", "open")
    assert page.found["cards"] == [given["summary"][name] for name in names if given["summary"][name] is not None]
    order = ("total", "return", *COLUMNS, "trades", "mean hours")
    for key in ("pair", "month", "reason"):
        assert page.found[f"by-{key}"] == [row[name] for row in given["by"][key] for name in order]
    legs = ("short_amount", "short_in", "short_out", "spot_amount", "spot_in", "spot_out", "basis_in", "basis_out")
    shown = [row[name] for row in reversed(given["hedges"]) for name in ("total", *COLUMNS, *legs)]
    assert page.found["by-hedges"] == [value for value in shown if value is not None]
    both = [given["reconciliation"]["total"][f"{b}{k}{a}"] for k in ("funding", "commission", "realised")
            for b, a in (("", ""), ("exchange_", ""), ("", "_difference"))]  # fmt: skip
    assert [v for i, v in enumerate(page.found["reconciliation"]) if i % 4 < 3] == both


def test_three_pairs_to_the_cent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Partial exits, funding and moved prices in three pairs: page, command and the exchange's books agree."""
    with running(tmp_path, {}, ALL) as run:
        run.enter()
        run.sandbox.post("settle")
        given = report(run, capsys)
        assert [row["state"] for row in given["hedges"]] == ["open"] * 3
        assert given["summary"]["open"] == 3
        for market in ALL:
            run.close(market, "0.4")
        run.calm()
        spot: Any = run.sandbox.get("state")
        for market, factor in ((BTC, "1.02"), (ETH, "0.97")):
            price = Decimal(spot["spot"][market.spot]["mid"]) * Decimal(factor)
            run.sandbox.post("price", symbol=market.symbol, price=price)
        run.sandbox.post("settle")
        run.rest("POST", "forceexit", tradeid="all")
        run.calm()
        given = report(run, capsys, "--reconcile", "--html", str(tmp_path / "page.html"))
        assert given["notes"] == []
        check_against_books(run, given, ALL)
        compared = given["reconciliation"]
        assert len(compared["hedges"]) == 3
        for row in [*compared["hedges"], compared["total"]]:
            for kind in ("funding", "commission", "realised"):
                assert abs(row[f"{kind}_difference"]) < CENT, (row, kind)
        assert compared["elsewhere"] == {"funding": 0.0, "commission": 0.0, "realised": 0.0}
        assert abs(compared["total"]["exchange_funding"]) > 0.1
        check_page(Figures((tmp_path / "page.html").read_text()), given)
        paid = sum(row["amount"] for row in given["settlements"])
        assert abs(paid - given["summary"]["funding"]) < 1e-6
        assert abs(given["equity"][-1]["equity"] - given["summary"]["total"]) < 1e-6
