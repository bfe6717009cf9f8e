"""A live report for the terminal, in 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.table import Table

from freqtrade_fundhedge.report.live_records import (
    Shown,
    compared_record,
    group_records,
    hedge_record,
    reliability_records,
    step_records,
)
from freqtrade_fundhedge.report.live_sums import KEYS, PARTS, summary_of
from freqtrade_fundhedge.report.reconcile import KINDS, Reconciliation
from freqtrade_fundhedge.report.tables import group_table, plain_table, sum_table
from freqtrade_fundhedge.report.words import short_amount, short_pair, shown

SUMMARY: Final = (
    ("hedges", "Hedges", "count"),
    ("open", "  of them open, at the last known price", "count"),
    ("short", "Short leg, price", "money"),
    ("spot", "Spot leg, price", "money"),
    ("basis", "  together: basis", "money"),
    ("funding", "Funding", "money"),
    ("fees", "Fees of both legs", "cost"),
    ("total", "Total", "money"),
    ("of_open", "  of it, of open hedges", "money"),
    ("capital", "Capital tied up in both wallets, mean", "money"),
    ("peak_capital", "Capital tied up, at most", "money"),
    ("return_on_capital", "Return on mean capital, a year", "fraction"),
    ("return_on_notional", "Return on notional, a year", "fraction"),
    ("drawdown", "Drawdown, of mean capital", "fraction"),
    ("sharpe", "Sharpe ratio, daily", "number"),
    ("exposure", "Time with a hedge", "fraction"),
)
GUARD_STEPS: Final = 10
RELIABILITY: Final = (
    ("direction", "Transfers", ""),
    ("transfers", "Decided", "count"),
    ("done", "Done", "count"),
    ("waiting", "Waiting", "count"),
    ("attempts", "Sent", "count"),
    ("refused", "Refused", "count"),
    ("lost", "Lost", "count"),
    ("moved", "Moved", "money"),
    ("median_s", "Median", "seconds"),
    ("worst_s", "Worst", "seconds"),
)


def summary_lines(shown_: Shown) -> Iterator[tuple[str, str, str, object]]:
    """(name, label, kind, value) of each number of the summary that has something to say."""
    record = summary_of(shown_.report)
    for name, label, kind in SUMMARY:
        if record["open"] or name not in {"open", "of_open"}:
            yield name, label, kind, record[name]


def tables(shown_: Shown, most: int) -> Iterator[Table]:
    """The summary, results by pair, month and exit reason, transfers, the guard, the comparison with the exchange.

    Parameters
    ----------
    shown_ : the report
    most : hedges to list one by one, the newest; 0 = none
    """
    report = shown_.report
    yield sum_table(f"{report.bot}: what the hedges earned", summary_lines(shown_), shown_.currency)
    if report.hedges:
        for key in KEYS:
            yield group_table(key, group_records(report, key))
    if report.transfers:
        yield _reliability(reliability_records(report))
    if report.steps:
        yield _guard(list(step_records(report)), most or GUARD_STEPS)
    if shown_.reconciliation is not None:
        yield _totals(shown_.reconciliation, shown_.currency)
    if most and report.hedges:
        yield _hedges(shown_, most)
        yield _legs(shown_, most)
        if shown_.reconciliation is not None:
            yield _compared(shown_.reconciliation, most)


def title_of(count: int, most: int, words: str) -> str:
    """What a list of hedges is, said shorter when it has them all."""
    return words if count <= most else f"{words}: the last {most:,} of {count:,}; --json has all"


def _reliability(records: Sequence[Mapping[str, object]]) -> Table:
    table = plain_table("Transfers", *(label for _, label, _ in RELIABILITY))
    table.columns[0].header = ""
    for row in records:
        first, *rest = RELIABILITY
        amounts = (short_amount(row[name]) if kind == "money" else shown(row[name], kind) for name, _, kind in rest)
        table.add_row(str(row[first[0]]), *amounts)
    return table


def _guard(records: Sequence[Mapping[str, object]], most: int) -> Table:
    title = title_of(len(records), most, "Steps of the margin guard")
    table = plain_table(title, "When", "Pair", "Step", "Amount", "Distance before")
    table.columns[2].justify = "left"
    for row in records[-most:]:
        at, figures = str(row["at"])[:16].replace("T", " "), (row["amount"], row["distance"])
        amount, distance = _brief(figures[0]), shown(figures[1], "fraction")
        table.add_row(at, short_pair(str(row["pair"])), str(row["step"]), amount, distance)
    return table


def _hedges(shown_: Shown, most: int) -> Table:
    hedges = shown_.report.hedges
    names = ("Opened", "Pair", "Days", *(part.capitalize() for part in PARTS))
    table = plain_table(title_of(len(hedges), most, "Hedges (* open, at the last known price)"), *names)
    for hedge in hedges[-most:]:
        days = (hedge.closed if hedge.closed is not None else shown_.report.end) - hedge.opened
        mark = "*" if hedge.is_open else ""
        amounts = [short_amount(getattr(hedge, part), cost=part == "fees") for part in PARTS]
        table.add_row(
            hedge.row.opened_at[:10], short_pair(hedge.row.pair) + mark, f"{max(0.0, days) / 86_400:.1f}", *amounts
        )
    return table


def _legs(shown_: Shown, most: int) -> Table:
    hedges = shown_.report.hedges
    names = ("Date", "Coin", "Sold", "at", "closed", "Coins", "at", "sold", "Basis", "then")
    table = plain_table(title_of(len(hedges), most, "Both legs: short, then spot"), *names)
    table.columns[1].justify = "left"
    for hedge in hedges[-most:]:
        row = hedge_record(hedge)
        amounts = (_brief(row[name]) for name in ("short_amount", "short_in", "short_out"))
        coins = (_brief(row[name]) for name in ("spot_amount", "spot_in", "spot_out"))
        basis = (shown(row[name], "fraction") for name in ("basis_in", "basis_out"))
        table.add_row(hedge.row.opened_at[5:10], hedge.row.pair.partition("/")[0], *amounts, *coins, *basis)
    return table


def _brief(value: object) -> str:
    """A price or an amount in few characters."""
    if not isinstance(value, float) or abs(value) >= 99_999.5:
        return short_amount(value)
    texts = [f"{value:.{digits}g}" for digits in (5, 4, 3)]
    return next((text for text in texts if len(text) <= 6), texts[-1])


def _totals(found: Reconciliation, currency: str) -> Table:
    ours, theirs = found.total("ours"), found.total("exchange")
    table = plain_table("Against the exchange's income history", "", "Ours", "Exchange", "Difference", "Elsewhere")
    for kind in KINDS:
        values = (ours[kind], theirs[kind], ours[kind] - theirs[kind], found.elsewhere[kind])
        table.add_row(f"{kind.capitalize()}, {currency}", *(f"{value:,.4f}" for value in values))
    return table


def _compared(found: Reconciliation, most: int) -> Table:
    covered = [one for one in found.hedges if one.covered]
    title = title_of(len(covered), most, "Each hedge: ours, and its difference to the exchange's")
    names = [name for kind in KINDS for name in (kind.capitalize(), "±")]
    table = plain_table(title, "Opened", "Pair", *names)
    for one in covered[-most:]:
        row = compared_record(one)
        figures = (f"{row[name]:,.4f}" for kind in KINDS for name in (kind, f"{kind}_difference"))
        table.add_row(one.hedge.row.opened_at[:10], short_pair(one.hedge.row.pair), *figures)
    return table
