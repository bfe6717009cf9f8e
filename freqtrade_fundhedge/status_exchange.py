"""What the exchange says about open hedges and wallets, beside a running bot: reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.core.fills import Fills
from freqtrade_fundhedge.core.margin import liquidation_distances
from freqtrade_fundhedge.core.standing import Earned, earned
from freqtrade_fundhedge.core.treasury import Movement, Needs, decide, stress_buffer
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_hedge import fills_of, last_told, opening
from freqtrade_fundhedge.journal_rows import HedgeRow, epoch
from freqtrade_fundhedge.messages import basis, funding_apr
from freqtrade_fundhedge.sweep_by_hand import ByHand
from freqtrade_fundhedge.venue.live import LiveVenue, PublicSpot
from freqtrade_fundhedge.venue.perpetuals import FundingQuote
from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount, Position, Side


@dataclass(frozen=True)
class Standing:
    """An open hedge at the exchange. None: not known, because there is no key, no price or no record of the entry.

    Attributes
    ----------
    short : perpetual base units on the exchange
    delta : coins that the journal holds less short x multiplier
    mark, bid : prices of both legs
    basis, basis_in : now and at the entry, fractions
    apr : predicted funding a year
    margin : behind the short alone, or its initial margin where it shares the wallet
    distance : price rise to liquidation, a fraction
    """

    pair: str
    held: Decimal
    short: Decimal | None
    delta: Decimal | None
    mark: Decimal
    bid: Decimal
    basis: Decimal | None
    basis_in: Decimal | None
    apr: float | None
    earned: Earned | None
    margin: Decimal | None
    distance: Decimal | None


@dataclass(frozen=True)
class Wallets:
    """Both wallets in the stake currency, and what the treasury wants next; `figures` are its arithmetic.

    `stress_by` says what price rise counts, "" without a position.
    """

    spot: Decimal
    wallet: Decimal
    free: Decimal
    withdrawable: Decimal
    figures: dict[str, Decimal]
    next: Movement | None
    stress_by: str


@dataclass(frozen=True)
class Reading:
    """One look at the exchange; no wallets without a key."""

    hedges: Sequence[Standing]
    wallets: Wallets | None


def look(venue: PublicSpot, journal: Journal, hand: ByHand | None, stake: str, transfers: bool, now: float) -> Reading:
    """Read what open hedges stand on.

    Parameters
    ----------
    venue : a `LiveVenue`, or without a key `PublicSpot`
    journal : opened for reading
    hand : what the bot goes by, None without a key; `transfers` whether it may move anything

    Raises
    ------
    VenueError, JournalError : it can't be read
    """
    rows = journal.unsettled()
    account = venue.futures_account() if isinstance(venue, LiveVenue) else None
    rates = venue.funding() if rows else {}
    open_rows = [row for row in rows if row.state != "closed"]
    hedges = [_standing(venue, journal, row, account, rates.get(row.pair), now) for row in open_rows]
    wallets = None
    if isinstance(venue, LiveVenue) and account is not None and hand is not None:
        spot = venue.spot_balances().get(stake, ZERO)
        freed = sum((row.unswept for row in rows), ZERO)
        wallets = _wallets(account, spot, hand, freed, transfers and venue.separate_wallets)
    return Reading(hedges, wallets)


def _standing(
    venue: PublicSpot, journal: Journal, row: HedgeRow, account: FuturesAccount | None, rate: FundingQuote | None,
    now: float,
) -> Standing:  # fmt: skip
    market, quote = venue.market(row.pair), venue.quote(row.symbol)
    bid, ask = quote.best(Side.SELL), quote.best(Side.BUY)
    mark = Decimal(str(rate.mark_price)) if rate is not None else ZERO
    known = bid > 0 and ask > 0 and mark > 0
    short = account.short(row.pair) if account is not None else None
    first, fills = opening(journal.engine, row.id), _fills(journal, row, short)
    position = _position(account, row.pair)
    money = (row.spot_cash, row.spot_fees, row.funding, now - epoch(row.opened_at))
    return Standing(
        row.pair, row.held, short, row.held - short * market.multiplier if short is not None else None, mark, bid,
        basis(mark, (bid + ask) / 2, market.multiplier) if known else None,
        _number(first.data.get("basis")) if first is not None else None,
        funding_apr(rate) if rate is not None else None,
        earned(fills, mark, bid, row.held, *money) if known and fills is not None else None,
        (position.isolated_margin or position.initial_margin) if position is not None else None,
        liquidation_distances(account).get(row.pair) if account is not None else None,
    )  # fmt: skip


def _fills(journal: Journal, row: HedgeRow, short: Decimal | None) -> Fills | None:
    """Fills as last told; None while the short is on the way to another size."""
    told = last_told(journal.engine, row.id)
    fills = fills_of(told.data) if told is not None else None
    return fills if fills is not None and (short is None or fills.short == short) else None


def _position(account: FuturesAccount | None, pair: str) -> Position | None:
    if account is None:
        return None
    return next((p for p in account.positions if p.pair == pair and p.is_short), None)


def _wallets(account: FuturesAccount, spot: Decimal, hand: ByHand, freed: Decimal, transfers: bool) -> Wallets:
    rules = hand.treasurer.rules()
    figures = {"stress_buffer": stress_buffer(account, rules), "keep": rules.keep}
    if not rules.fund_entries:
        figures["freed"] = freed
    needs = Needs(freed=freed, spot_free=spot, guard=hand.guard.needs(account))
    wish = decide(account, rules, needs) if transfers else None
    by = hand.stress_by if account.positions else ""
    return Wallets(spot, account.wallet, account.free, account.withdrawable, figures, wish, by)


def _number(value: object) -> Decimal | None:
    try:
        return Decimal(str(value)) if value is not None else None
    except ArithmeticError:
        return None
