"""What funding entries just in time does for the capital: against one half of it in each wallet.

The same story twice for each margin mode, by a real bot on the sandbox exchange: three pairs pay, the bot fills its
slots with an "unlimited" stake, the same funding settlements are paid, everything is closed. Once all USDT starts on
spot and the bot moves margin (`fund_entries: true`), once half of it lies in each wallet (`false`).

    python benchmarks/capital.py [--usdt 10000] [--leverage 3] [--settlements 21] [--rate 0.0003]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

from harness import BTC, ETH, Market, holding, in_futures, running, shorts
from test_capital import failed_entries, legs

SOL = Market("SOLUSDT", "SOL/USDT:USDT", "SOL", "SOLUSDT", 1, Decimal("0.001"))
THREE = (BTC, ETH, SOL)
PATIENCE_S = 300.0


@dataclass(frozen=True)
class Outcome:
    """One run of the story, USDT."""

    name: str
    deployed: Decimal
    funding: Decimal
    failed: int
    transfers: int
    spot: Decimal
    futures: Decimal


def settings(mode: str, fund_entries: bool, leverage: float) -> dict[str, Any]:
    """Freqtrade's configuration beside the harness's own."""
    return {
        "stake_amount": "unlimited",
        "max_open_trades": len(THREE),
        "margin_mode": mode,
        "fundhedge": {"margin": {"fund_entries": fund_entries, "leverage": leverage}},
    }


def story(wanted: argparse.Namespace, mode: str, fund_entries: bool) -> Outcome:
    """Enter, be paid, leave."""
    own = Decimal(0) if fund_entries else wanted.usdt / 2
    server = {"spot_usdt": wanted.usdt - own, "futures_usdt": own}
    config = settings(mode, fund_entries, wanted.leverage)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), config, THREE, **server) as run:
        run.start()
        run.wait("a hedge in each market", lambda: run.hedged(*THREE), PATIENCE_S)
        run.hold_entries()
        run.calm(PATIENCE_S)
        deployed = min(legs(run))
        for _ in range(wanted.settlements):
            for market in THREE:
                run.sandbox.post("settle", symbol=market.symbol, rate=wanted.rate)
        run.loops(1)
        run.rest("POST", "forceexit", tradeid="all")
        run.wait("all closed", lambda: not shorts(run.books()), PATIENCE_S)
        run.calm(PATIENCE_S)
        books = run.books()
        paid = sum((Decimal(row["amount"]) for row in books["income"] if row["kind"] == "FUNDING_FEE"), Decimal(0))
        return Outcome(
            f"{mode}, {'funded just in time' if fund_entries else 'half and half'}", deployed, paid,
            len(failed_entries(run)), len(books["transfers"]), holding(books, "USDT"), in_futures(books),
        )  # fmt: skip


def table(outcomes: list[Outcome], usdt: Decimal) -> str:
    """One row a run."""
    rows = ["| | deployed on each leg | of capital | funding | failed entries | transfers | end: spot | end: futures |"]
    rows.append("|---|---|---|---|---|---|---|---|")
    for o in outcomes:
        rows.append(
            f"| {o.name} | {o.deployed:,.0f} | {o.deployed / usdt:.1%} | {o.funding:,.2f} | {o.failed} | {o.transfers} "
            f"| {o.spot:,.2f} | {o.futures:,.2f} |"
        )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--usdt", type=Decimal, default=Decimal(10_000))
    parser.add_argument("--leverage", type=float, default=3.0)
    parser.add_argument("--settlements", type=int, default=21)
    parser.add_argument("--rate", type=Decimal, default=Decimal("0.0003"))
    wanted = parser.parse_args()
    outcomes = [story(wanted, mode, funded) for mode in ("isolated", "cross") for funded in (True, False)]
    print(
        f"{wanted.usdt:,} USDT, {len(THREE)} slots, leverage {wanted.leverage:g}, "
        f"{wanted.settlements} settlements of {wanted.rate:.2%}\n"
    )
    print(table(outcomes, wanted.usdt))


if __name__ == "__main__":
    main()
