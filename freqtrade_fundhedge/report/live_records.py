"""A live report for machines; the page and the tables show these figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal

import orjson

from freqtrade_fundhedge.journal_rows import MarginRow, TransferRow, epoch
from freqtrade_fundhedge.journal_steps import STEPS
from freqtrade_fundhedge.report.ledger import HedgeLedger
from freqtrade_fundhedge.report.live import LiveReport
from freqtrade_fundhedge.report.live_sums import KEYS, PARTS, funding_totals, group_sums, summary_of, thinned
from freqtrade_fundhedge.report.reconcile import KINDS, Compared, Reconciliation
from freqtrade_fundhedge.report.wallets import reliability

Record = dict[str, object]


@dataclass(frozen=True)
class Shown:
    """A report and what is said about it.

    Attributes
    ----------
    mode : live or dry-run
    reconciliation : None if it was not asked for or could not be made
    notes : what a reader has to know: what is missing, and why
    """

    report: LiveReport
    mode: str
    exchange: str
    currency: str
    reconciliation: Reconciliation | None
    notes: tuple[str, ...]


def moment(at: float | None) -> str | None:
    """Seconds since 1970 as UTC text."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else None


def hedge_records(report: LiveReport) -> Iterator[Record]:
    """One record for each hedge, oldest first: its parts, both legs and the basis on the way in and out."""
    return (hedge_record(hedge) for hedge in report.hedges)


def hedge_record(hedge: HedgeLedger) -> Record:
    """See `hedge_records`; prices are quote per base unit, of the perpetual and of the coin."""
    short, spot = hedge.short_leg, hedge.spot_leg
    last_perp, last_spot = (hedge.perp_price, hedge.spot_price) if hedge.is_open else (short.price_out, spot.price_out)
    return {
        "id": hedge.row.id,
        "pair": hedge.row.pair,
        "state": hedge.row.state,
        "opened": moment(hedge.opened),
        "closed": moment(hedge.closed),
        "reason": hedge.reason,
        **{part: getattr(hedge, part) for part in PARTS},
        "notional": hedge.notional,
        "capital": hedge.capital,
        "short_amount": short.amount_in,
        "short_in": short.price_in,
        "short_out": short.price_out,
        "short_fees": short.fees,
        "spot_amount": spot.amount_in,
        "spot_in": spot.price_in,
        "spot_out": spot.price_out,
        "spot_fees": spot.fees,
        "spot_held": float(hedge.row.held),
        "perp_price": hedge.perp_price or None,
        "spot_price": hedge.spot_price or None,
        "basis_in": hedge.basis_at(short.price_in, spot.price_in),
        "basis_out": hedge.basis_at(last_perp, last_spot),
    }


def group_records(report: LiveReport, key: str) -> list[Record]:
    """Sums by pair, month or reason."""
    return group_sums(report.hedges, key, report.end)


def curve_records(report: LiveReport) -> list[Record]:
    """The equity over time."""
    columns = zip(*(values.tolist() for values in thinned(report.curve)), strict=True)
    return [{"at": moment(at), "equity": equity, "naked": naked} for at, equity, naked in columns]


def transfer_records(report: LiveReport) -> Iterator[Record]:
    """One record for each transfer, oldest first."""
    return (_transfer(row) for row in report.transfers)


def margin_records(report: LiveReport) -> Iterator[Record]:
    """One record for each change of an isolated position's margin, oldest first."""
    return (_margin(row) for row in report.margins)


def step_records(report: LiveReport) -> Iterator[Record]:
    """One record for each step of the margin guard, oldest first."""
    for step in report.steps:
        yield {
            "at": moment(epoch(step.at)),
            "pair": step.pair,
            "step": STEPS[step.kind],
            "amount": _plain(step.amount),
            "distance": _plain(step.distance),
            "told": step.message,
        }


def reliability_records(report: LiveReport) -> list[Record]:
    """How sweeps and top-ups went."""
    return [{name: _plain(value) for name, value in asdict(one).items()} for one in reliability(report.transfers)]


def reconciliation_record(found: Reconciliation) -> Record:
    """Both sides and their difference, in total and for each hedge."""
    ours, theirs = found.total("ours"), found.total("exchange")
    return {
        "since": moment(found.since),
        "total": _both(ours, theirs),
        "elsewhere": dict(found.elsewhere),
        "other_coins": dict(found.other_coins),
        "not_covered": sum(not one.covered for one in found.hedges),
        "hedges": [compared_record(one) for one in found.hedges if one.covered],
    }


def compared_record(one: Compared) -> Record:
    """One hedge of the reconciliation."""
    row = one.hedge.row
    return {"id": row.id, "pair": row.pair, "opened": moment(one.hedge.opened), **_both(one.ours, one.exchange)}


def json_pieces(shown: Shown) -> Iterator[str]:
    """The report as JSON, in pieces: hedges and transfers are never all held as text."""
    report = shown.report
    head = {
        "bot": report.bot,
        "mode": shown.mode,
        "exchange": shown.exchange,
        "currency": shown.currency,
        "since": report.wish.since or None,
        "until": report.wish.until or None,
        "pair": report.wish.pair or None,
        "end": moment(report.end),
        "notes": list(shown.notes),
        "summary": summary_of(report),
        "by": {key: group_records(report, key) for key in KEYS},
        "equity": curve_records(report),
        "funding": [{"at": moment(at), "amount": paid} for at, paid in funding_totals(report).items()],
        "reliability": reliability_records(report),
        "reconciliation": reconciliation_record(shown.reconciliation) if shown.reconciliation else None,
    }
    yield orjson.dumps(head, option=orjson.OPT_INDENT_2).decode()[:-2]
    settlements: Iterator[Record] = (
        {"at": moment(at), "pair": pair, "amount": paid} for at, pair, paid in report.settlements
    )
    wallets: Iterator[Record] = ({"at": moment(w.at), "spot": w.spot, "futures": w.futures} for w in report.wallets)
    lists: dict[str, Iterator[Record]] = {
        "settlements": settlements,
        "wallets": wallets,
        "transfers": transfer_records(report),
        "margin_changes": margin_records(report),
        "guard": step_records(report),
        "hedges": hedge_records(report),
    }
    for name, records in lists.items():
        yield f',\n  "{name}": ['
        for number, record in enumerate(records):
            yield (",\n    " if number else "\n    ") + orjson.dumps(record).decode()
        yield "\n  ]"
    yield "\n}\n"


def _transfer(row: TransferRow) -> Record:
    took = epoch(row.resolved_at) - epoch(row.created_at) if row.resolved_at is not None else None
    return {
        "at": moment(epoch(row.created_at)),
        "direction": str(row.direction),
        "asset": row.asset,
        "amount": float(row.amount),
        "state": str(row.state),
        "attempts": row.attempts,
        "futures_before": float(row.wallet_before),
        "settled_s": took,
    }


def _margin(row: MarginRow) -> Record:
    took = epoch(row.resolved_at) - epoch(row.created_at) if row.resolved_at is not None else None
    return {
        "at": moment(epoch(row.created_at)),
        "pair": row.pair,
        "direction": str(row.kind),
        "amount": float(row.amount),
        "state": str(row.state),
        "margin_before": float(row.margin_before),
        "settled_s": took,
    }


def _both(ours: Mapping[str, float], theirs: Mapping[str, float]) -> Record:
    found: Record = {}
    for kind in KINDS:
        found |= {kind: ours[kind], f"exchange_{kind}": theirs[kind], f"{kind}_difference": ours[kind] - theirs[kind]}
    return found


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value
