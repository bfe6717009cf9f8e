"""A live report as one HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from freqtrade_fundhedge.report import html, live_plots
from freqtrade_fundhedge.report.live_records import (
    Shown,
    compared_record,
    group_records,
    hedge_record,
    margin_records,
    reliability_records,
    step_records,
    transfer_records,
)
from freqtrade_fundhedge.report.live_sums import KEYS, summary_of
from freqtrade_fundhedge.report.live_tables import RELIABILITY, summary_lines
from freqtrade_fundhedge.report.page import MOST_TRADES, NAMES, READING, groups, parts
from freqtrade_fundhedge.report.reconcile import KINDS
from freqtrade_fundhedge.report.tables import TITLES
from freqtrade_fundhedge.report.words import short_pair

CARDS = (
    ("total", "{currency} earned, hedged", "result"),
    ("funding", "{currency} of funding", "result"),
    ("return_on_capital", "a year, on capital", "fraction"),
    ("drawdown", "deepest drawdown", "fraction"),
    ("open", "hedges open now", "count"),
)
LEGS = (
    ("short_amount", "Sold short", "quantity"),
    ("short_in", "at", "price"),
    ("short_out", "bought back at", "price"),
    ("spot_amount", "Coins bought", "quantity"),
    ("spot_in", "at", "price"),
    ("spot_out", "sold at", "price"),
    ("basis_in", "Basis in", "fraction"),
    ("basis_out", "Basis out", "fraction"),
)


def page_pieces(shown: Shown) -> Iterator[str]:
    """The page in pieces.

    Parameters
    ----------
    shown : the report and what is said about it
    """
    report = shown.report
    yield html.begin(f"{report.bot}: what the hedges earned", _about(shown))
    for note in shown.notes:
        yield html.note(note)
    record = summary_of(report)
    figures = ((record[name], kind, label.format(currency=shown.currency)) for name, label, kind in CARDS)
    yield from html.cards(figures)
    yield from _plots(shown)
    yield f'<h2>Where it came from</h2><p class="muted">{READING}</p>\n'
    yield from html.sums("summary", summary_lines(shown), shown.currency)
    if report.hedges:
        for key in KEYS:
            yield f"<h2>{TITLES[key]}</h2>\n"
            yield from groups(key, group_records(report, key))
        yield from _hedges(shown)
    yield from _transfers(shown)
    yield from _guard(shown)
    yield from _reconciliation(shown)
    yield html.end("Made by fundhedge report from the bot's journal and Freqtrade's trades. Times are UTC.")


def _about(shown: Shown) -> str:
    report = shown.report
    where = f"{shown.mode.capitalize()} on {shown.exchange}"
    pairs = sorted({short_pair(hedge.row.pair) for hedge in report.hedges})
    if not pairs:
        return f"{where}, no hedge yet"
    records = hedge_record(report.hedges[0])
    begun = str(records["opened"])[:16].replace("T", " ")
    ended = html.when(report.end)
    more = f" and {len(pairs) - 12} more" if len(pairs) > 12 else ""
    return f"{where}, {begun} to {ended} UTC · {', '.join(pairs[:12])}{more}"


def _plots(shown: Shown) -> Iterator[str]:
    report, currency = shown.report, shown.currency
    if len(report.curve.at):
        about = f"{currency} earned so far, open hedges at the last known prices."
        yield from html.plot("Equity", about, partial(live_plots.equity, report=report), 400)
    if report.settlements:
        about = f"{currency} received less paid at each settlement, all hedges together."
        yield from html.plot("Funding", about, partial(live_plots.funding, report=report), 240)
    if report.hedges:
        about = "When each pair was hedged, and how far the perpetual was above spot meanwhile."
        height = live_plots.basis_height(report)
        yield from html.plot("Basis and hedges", about, partial(live_plots.basis, report=report), height)
    if report.wallets:
        about = f"{currency} in each wallet. Triangles are transfers: up into the futures wallet, down back to spot."
        height = 320
        if live_plots.margin_moves(report):
            about += " Bars are margin that was added to isolated shorts, or taken back."
            height = 460
        yield from html.plot("Wallets and transfers", about, partial(live_plots.wallets, report=report), height)


def _hedges(shown: Shown) -> Iterator[str]:
    hedges = shown.report.hedges
    count, some = len(hedges), hedges[-MOST_TRADES:]
    text = f"the last {len(some):,} of {count:,}; the JSON has all" if count > len(some) else f"all {count:,}"
    yield f"<h2>Each hedge</h2><details open><summary>{text.capitalize()}, newest first</summary>\n"
    columns = ("Pair", "Opened", "Closed", "Total", *NAMES, *(label for _, label, _ in LEGS), "Left for")
    rows = (_hedge(hedge_record(hedge)) for hedge in reversed(some))
    yield from html.table("by-hedges", "Each hedge with both legs", columns, rows)
    yield "</details>\n"


def _hedge(row: Mapping[str, object]) -> str:
    opened, closed = (str(row[name])[:16].replace("T", " ") if row[name] else "open" for name in ("opened", "closed"))
    first = html.head_cell(short_pair(str(row["pair"]))) + html.text_cell(opened) + html.text_cell(closed)
    legs = "".join(html.cell(row[name], kind) for name, _, kind in LEGS)
    return f"{first}{html.cell(row['total'], 'result')}{parts(row)}{legs}{html.text_cell(str(row['reason']))}"


def _transfers(shown: Shown) -> Iterator[str]:
    records = reliability_records(shown.report)
    if not records:
        return
    yield "<h2>Transfers</h2>\n"
    first, *rest = RELIABILITY
    rows = (
        html.head_cell(str(row[first[0]])) + "".join(html.cell(row[name], kind) for name, _, kind in rest)
        for row in records
    )
    yield from html.table("reliability", "How reliably transfers went", [label for _, label, _ in RELIABILITY], rows)
    count = len(shown.report.transfers)
    some = list(transfer_records(shown.report))[-MOST_TRADES:]
    text = f"the last {len(some):,} of {count:,}; the JSON has all" if count > len(some) else f"all {count:,}"
    yield f"<details><summary>{text.capitalize()}, newest first</summary>\n"
    columns = ("Decided", "Direction", "Amount", "Attempts", "State", "Time to settle")
    yield from html.table("transfers", "Each transfer", columns, map(_transfer, reversed(some)))
    yield "</details>\n"


def _transfer(row: Mapping[str, object]) -> str:
    at, way = str(row["at"])[:19].replace("T", " "), str(row["direction"]).replace("_", " ")
    words = html.head_cell(at) + html.text_cell(way)
    figures = html.cell(row["amount"], "money") + html.cell(row["attempts"], "count")
    return f"{words}{figures}{html.text_cell(str(row['state']))}{html.cell(row['settled_s'], 'seconds')}"


def _guard(shown: Shown) -> Iterator[str]:
    report = shown.report
    if report.steps or report.margins:
        yield "<h2>Margin guard</h2>\n"
    if report.steps:
        yield from _listed("Step", len(report.steps))
        rows = map(_step, reversed(list(step_records(report))[-MOST_TRADES:]))
        heads = ["When", "Pair", "Step", "Amount", "Distance before"]
        yield from html.table("guard", "Each step of the margin guard", heads, rows)
        yield "</details>\n"
    if report.margins:
        yield from _listed("Change of margin", len(report.margins))
        rows = map(_margin, reversed(list(margin_records(report))[-MOST_TRADES:]))
        heads = ["Decided", "Pair", "Direction", "Amount", "Margin before", "State", "Time to settle"]
        yield from html.table("margins", "Each change of margin", heads, rows)
        yield "</details>\n"


def _listed(what: str, count: int) -> Iterator[str]:
    some = min(count, MOST_TRADES)
    text = f"the last {some:,} of {count:,}; the JSON has all" if count > some else f"all {count:,}"
    yield f"<details><summary>{what}: {text}, newest first</summary>\n"


def _step(row: Mapping[str, object]) -> str:
    words = html.head_cell(str(row["at"])[:19].replace("T", " ")) + html.text_cell(short_pair(str(row["pair"])))
    figures = html.cell(row["amount"], "quantity") + html.cell(row["distance"], "fraction")
    return f"{words}{html.text_cell(str(row['step']))}{figures}"


def _margin(row: Mapping[str, object]) -> str:
    words = html.head_cell(str(row["at"])[:19].replace("T", " ")) + html.text_cell(short_pair(str(row["pair"])))
    figures = html.cell(row["amount"], "money") + html.cell(row["margin_before"], "money")
    state = html.text_cell(str(row["state"])) + html.cell(row["settled_s"], "seconds")
    return f"{words}{html.text_cell(str(row['direction']))}{figures}{state}"


def _reconciliation(shown: Shown) -> Iterator[str]:
    found = shown.reconciliation
    if found is None:
        return
    yield "<h2>Against the exchange's income history</h2>\n"
    ours, theirs = found.total("ours"), found.total("exchange")
    rows = (
        html.head_cell(kind.capitalize())
        + "".join(
            html.cell(value, "exact")
            for value in (ours[kind], theirs[kind], ours[kind] - theirs[kind], found.elsewhere[kind])
        )
        for kind in KINDS
    )
    columns = ("", "Ours", "Exchange", "Difference", "Elsewhere")
    yield from html.table("reconciliation", "Both accounts in total", columns, rows)
    covered = [one for one in found.hedges if one.covered][-MOST_TRADES:]
    names = [f"{kind.capitalize()}{what}" for kind in KINDS for what in ("", ", exchange", ", difference")]
    yield f"<details><summary>Each of {len(covered):,} hedges, newest first</summary>\n"
    lines = (_compared(compared_record(one)) for one in reversed(covered))
    yield from html.table("compared", "Both accounts of each hedge", ("Pair", "Opened", *names), lines)
    yield "</details>\n"


def _compared(row: Mapping[str, object]) -> str:
    opened = str(row["opened"])[:16].replace("T", " ")
    names = (name for kind in KINDS for name in (kind, f"exchange_{kind}", f"{kind}_difference"))
    figures = "".join(html.cell(row[name], "exact") for name in names)
    return html.head_cell(short_pair(str(row["pair"]))) + html.text_cell(opened) + figures
