"""What came out: wallets, transfers, the hedge's result on both sets of books, and the checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.demo.facts import COIN, ZERO, Books, Order
from freqtrade_fundhedge.demo.narrator import money, quantity
from freqtrade_fundhedge.demo.story import LOT, MIN_USDT, USER_COINS, Checkpoint
from freqtrade_fundhedge.journal_rows import HedgeRow, TransferRow

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Line:
    """One figure, by the bot's account and by the exchange's, in USDT."""

    name: str
    bot: Decimal
    exchange: Decimal


@dataclass(frozen=True)
class Check:
    """Something that must hold."""

    text: str
    holds: bool


@dataclass(frozen=True)
class Evidence:
    """All that the result is worked out from.

    Attributes
    ----------
    trades : Freqtrade's closed trades, by its REST API
    price : of the coin on spot, for what is left over of it
    fewest_coins : least BTC that was ever seen on spot
    transfer_requests : transfers that the exchange was asked for, refused ones included
    """

    before: Books
    after: Books
    hedges: Sequence[HedgeRow]
    transfers: Sequence[TransferRow]
    trades: Sequence[Mapping[str, Any]]
    checkpoints: Sequence[Checkpoint]
    price: Decimal
    fewest_coins: Decimal
    transfer_requests: int

    @property
    def dust(self) -> Decimal:
        """Coins that the bot's journal still holds."""
        return sum((hedge.held for hedge in self.hedges), ZERO)


def wallet_rows(evidence: Evidence) -> list[tuple[str, Decimal, Decimal]]:
    """Name, before and after; all but the last in USDT."""
    before, after = evidence.before, evidence.after
    left = (after.coins - USER_COINS) * evidence.price
    rows = [
        ("USDT on spot", before.spot_usdt, after.spot_usdt),
        ("USDT on futures", before.futures_usdt, after.futures_usdt),
        (f"{COIN} left over by the bot, in USDT", ZERO, left),
    ]
    return [*rows, ("Together", sum((r[1] for r in rows), ZERO), sum((r[2] for r in rows), ZERO))]


def result_lines(evidence: Evidence) -> list[Line]:
    """The hedge's result: price of each leg, funding, fees, together."""
    hedges, books, dust = evidence.hedges, evidence.after, evidence.dust * evidence.price
    realised, funding, cash, spot_fees = (
        sum((getattr(hedge, name) for hedge in hedges), ZERO)
        for name in ("short_realised", "funding", "spot_cash", "spot_fees")
    )
    short = sum((_price_result(trade) for trade in evidence.trades), ZERO)
    left = (books.coins - USER_COINS) * evidence.price
    on_spot = _cash(books.spot_orders) + left
    legs = [
        Line("Short leg: price", short, books.income.get("REALIZED_PNL", ZERO)),
        Line("Spot leg: price", cash + spot_fees + dust, on_spot),
    ]
    basis = Line("Both prices: basis", sum((x.bot for x in legs), ZERO), sum((x.exchange for x in legs), ZERO))
    others = [
        Line("Funding", funding, books.income.get("FUNDING_FEE", ZERO)),
        # What the journal's result of the short lacks against price and funding is what it paid in fees.
        Line("Fees of the short leg", realised - short - funding, books.income.get("COMMISSION", ZERO)),
        Line("Fees of the spot leg", -spot_fees, -sum((order.fees for order in books.spot_orders), ZERO)),
    ]
    together = Line("Together", realised + cash + dust, basis.exchange + sum((x.exchange for x in others), ZERO))
    return [*legs, basis, *others, together]


def _price_result(trade: Mapping[str, Any]) -> Decimal:
    """What Freqtrade's orders of a trade brought, before fees and funding."""
    total = ZERO
    for order in trade["orders"]:
        filled, price = Decimal(str(order["filled"] or 0)), Decimal(str(order["safe_price"]))
        total += filled * price if order["ft_order_side"] == "sell" else -filled * price
    return total


def _cash(orders: Sequence[Order]) -> Decimal:
    """USDT received less paid, before fees; those taken in the coin count as sold at their price."""
    return sum((o.quote if o.sells else -o.quote for o in orders), ZERO) + sum(
        (o.fees for o in orders if not o.sells), ZERO
    )


def checks(evidence: Evidence) -> Iterator[Check]:
    """Everything that must hold, and what was found."""
    lines, wallets = result_lines(evidence), wallet_rows(evidence)
    worst = max(abs(line.bot - line.exchange) for line in lines)
    yield Check(f"The bot's books and the exchange's agree to the cent (worst: {worst:.4f} USDT)", worst < CENT)
    gained = wallets[-1][2] - wallets[-1][1]
    fits = abs(gained - lines[-1].bot) < CENT
    yield Check(f"The wallets changed by exactly the hedge's result ({money(gained)} USDT)", fits)
    faults = "; ".join(evidence.after.faults) or "nothing missing, nothing made up"
    yield Check(f"The exchange's own books balance ({faults})", not evidence.after.faults)
    own = evidence.after.coins - evidence.dust
    untouched = own == USER_COINS and evidence.fewest_coins >= USER_COINS
    yield Check(f"Your own {USER_COINS} {COIN} were never touched (now {quantity(own)})", untouched)
    reasons = ", ".join(str(trade["exit_reason"]) for trade in evidence.trades)
    yield Check(f"Freqtrade closed the short because of {reasons}", reasons == "funding_turned")
    yield from _transfer_checks(evidence)
    yield _nothing_stranded(evidence)
    worst = max((abs(point.delta) for point in evidence.checkpoints), default=LOT)
    yield Check(
        f"Delta stayed below one lot after each step (worst: {quantity(worst)} of {quantity(LOT)} {COIN})", worst < LOT
    )


def _transfer_checks(evidence: Evidence) -> Iterator[Check]:
    done = [row for row in evidence.transfers if row.state is State.DONE]
    mine = sorted((str(row.exchange_id), row.amount) for row in done)
    same = mine == sorted(evidence.after.transfers) and len(done) == len(evidence.transfers)
    yield Check(
        f"No transfer was doubled or lost: {len(mine)} in the journal, {len(evidence.after.transfers)} on the exchange",
        same,
    )
    attempts = sum(row.attempts for row in evidence.transfers)
    asked = evidence.transfer_requests
    yield Check(f"Each attempt is journalled: {attempts} of them, {asked} requests at the exchange", attempts == asked)
    smaller = any(_went_through_smaller(row) for row in done)
    yield Check("The sweep that was refused went through, a little smaller", smaller)
    found = [row for row in done if row.answer == "found in the history"]
    once = bool(found) and all(row.attempts == 1 for row in found)
    yield Check("The sweep whose answer was lost was found, and not sent again", once)


def _went_through_smaller(row: TransferRow) -> bool:
    amounts = [Decimal(str(attempt["amount"])) for attempt in row.attempt_log]
    return len(amounts) > 1 and amounts[-1] < amounts[0]


def _nothing_stranded(evidence: Evidence) -> Check:
    after = evidence.after
    text = f"Nothing is stranded: {after.futures_usdt:.4f} USDT on futures, {quantity(evidence.dust)} {COIN} of dust"
    closed = bool(evidence.hedges) and all(hedge.state == "closed" for hedge in evidence.hedges)
    return Check(text, closed and after.short == 0 and after.futures_usdt < MIN_USDT and evidence.dust < LOT)
