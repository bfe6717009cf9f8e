"""Our account of the shorts against the exchange's income history, hedge by hedge."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from freqtrade_fundhedge.report.ledger import HedgeLedger
from freqtrade_fundhedge.venue.income import Income, exchange_symbol

KINDS: Final = ("funding", "commission", "realised")
# Freqtrade's clock and the exchange's differ, and a trade's first fill may be older than the trade.
SLACK_S = 60.0

Sums = Mapping[str, float]


@dataclass(frozen=True)
class Compared:
    """One hedge, quote: by our books, by the exchange's; `ours - exchange` is the difference.

    `covered` is False for one that was opened before the exchange's history begins.
    """

    hedge: HedgeLedger
    covered: bool
    ours: Sums
    exchange: Sums


@dataclass(frozen=True)
class Reconciliation:
    """All hedges against the exchange.

    Attributes
    ----------
    since : from when on the exchange has everything, seconds since 1970
    hedges : as in the report
    elsewhere : lines of the account that belong to no hedge, quote; another bot's, or the user's own
    other_coins : commissions paid in other coins than the quote, by coin; not compared
    """

    since: float
    hedges: Sequence[Compared]
    elsewhere: Sums
    other_coins: Mapping[str, float]

    def total(self, side: str) -> dict[str, float]:
        """Sums of `ours` or `exchange` over the hedges that the exchange's history covers."""
        covered = [getattr(one, side) for one in self.hedges if one.covered]
        return {kind: sum(sums[kind] for sums in covered) for kind in KINDS}


def our_sums(hedge: HedgeLedger) -> dict[str, float]:
    """Funding, commissions (negative) and the price result of what was bought back."""
    realised = 0.0 - hedge.short_leg.closed_price_result
    return {"funding": hedge.funding, "commission": 0.0 - hedge.short_leg.fees, "realised": realised}


def reconcile(hedges: Sequence[HedgeLedger], lines: Iterable[Income], since: float, currency: str) -> Reconciliation:
    """Give each line of the exchange to the hedge that was open in its symbol at its time.

    Parameters
    ----------
    hedges : of the report
    lines : from `income_since`
    since : from when on they are complete, seconds since 1970
    currency : the quote currency
    """
    theirs = [dict.fromkeys(KINDS, 0.0) for _ in hedges]
    elsewhere, coins = dict.fromkeys(KINDS, 0.0), defaultdict[str, float](float)
    spans = _spans(hedges)
    for line in lines:
        if line.asset != currency:
            coins[line.asset] += line.amount
            continue
        number = _owner(spans.get(line.symbol, ()), line.at)
        sums = elsewhere if number is None else theirs[number]
        sums[line.kind] += line.amount
    compared = [
        Compared(hedge, hedge.short_known and hedge.opened - SLACK_S >= since, our_sums(hedge), theirs[number])
        for number, hedge in enumerate(hedges)
    ]
    return Reconciliation(since, compared, elsewhere, dict(coins))


_Span = tuple[float, float, int]


def _spans(hedges: Sequence[HedgeLedger]) -> Mapping[str, Sequence[_Span]]:
    """By symbol: first and last moment of each hedge and its number, in order of time."""
    found = defaultdict[str, list[_Span]](list)
    for number, hedge in sorted(enumerate(hedges), key=lambda item: item[1].opened):
        spans = found[exchange_symbol(hedge.row.pair)]
        first = max(hedge.opened - SLACK_S, spans[-1][1] - SLACK_S if spans else 0.0)
        spans.append((first, hedge.closed + SLACK_S if hedge.closed is not None else float("inf"), number))
    return found


def _owner(spans: Sequence[_Span], at: float) -> int | None:
    place = bisect_right(spans, (at, float("inf"), 0)) - 1
    return spans[place][2] if place >= 0 and at <= spans[place][1] else None
