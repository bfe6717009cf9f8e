"""What a day came to, whatever the stream did: the same for each of its behaviours, or the run fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from benchmarks.chaos.judge import BAND, MIN_USDT, Judge
from benchmarks.chaos.plan import RISE_PER_S, Scenario
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_closes import EARLY
from freqtrade_fundhedge.journal_rows import HedgeRow
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.ledger import FUTURES, SPOT
from freqtrade_fundhedge.sandbox.numbers import ZERO

ROUND_TRIP = Decimal("0.0005")
"""Of the notional: by so much two fills of one hedge may differ in price, lots and funding."""

SPARED = Decimal("0.0025")
"""Fees and spread of a hedge: a death between intent and send lets an exit come before its order is proven absent."""


@dataclass(frozen=True)
class Outcome:
    """Everything that is to be the same.

    Attributes
    ----------
    shorts : perpetual base units by symbol, exact
    hedges : of each trade, (pair, open or closed), exact
    unknown : intents without a known outcome, exact
    coins : of ours on spot, to the venue's smallest order
    futures : USDT in the futures wallet, to what the treasury leaves to the price
    worth : USDT in both wallets and our coins, to what the time of a fill is worth
    """

    shorts: Mapping[str, Decimal]
    hedges: tuple[tuple[str, str], ...]
    unknown: int
    coins: Mapping[str, Decimal]
    futures: Decimal
    worth: Decimal


@dataclass(frozen=True)
class Slack:
    """How far two outcomes may be apart: base units by coin, USDT."""

    coins: Mapping[str, Decimal]
    futures: Decimal
    worth: Decimal


def outcome(exchange: Exchange, journal: Journal, users: Mapping[str, Decimal]) -> Outcome:
    """Read it off the exchange's books and the journal."""
    hedges = [row for row in journal.recent(HedgeRow, 1000) if row.trade_id != EARLY or row.held > 0]
    waiting = (journal.open_orders(), journal.open_transfers(), journal.open_closes(), journal.open_margins())
    ledger, account = exchange.ledger, exchange.futures.account
    coins = {coin: ledger.balance(SPOT, coin) - amount for coin, amount in users.items()}
    return Outcome(
        shorts={p.symbol: -p.quantity for p in account.held()},
        hedges=tuple(sorted((row.pair, "closed" if row.state == "closed" else "open") for row in hedges)),
        unknown=sum(len(rows) for rows in waiting),
        coins=coins,
        futures=ledger.balance(FUTURES, "USDT"),
        worth=ledger.balance(SPOT, "USDT")
        + ledger.balance(FUTURES, "USDT")
        + sum((amount * exchange.markets.worth(coin) for coin, amount in coins.items()), ZERO),
    )


def slack(exchange: Exchange, judge: Judge, plan: Scenario) -> Slack:
    """What a difference may come from when nothing but the time of a fill is another."""
    specs = {coin: exchange.markets.spot[coin + "USDT"].spec for coin in judge.users}
    dust = {coin: 2 * spec.min_notional / exchange.markets.worth(coin) + 2 * spec.step for coin, spec in specs.items()}
    notional = plan.first.notional + (plan.stays.notional if plan.stays is not None else ZERO)
    risen = sum((Decimal(item.rise_s) for item in plan.exits), ZERO) * RISE_PER_S
    price = notional * (ROUND_TRIP + risen)
    died = any(item.deaths for item in plan.exits) or bool(plan.entry_deaths)
    spared = notional * SPARED if died else ZERO
    return Slack(dust, 2 * MIN_USDT + judge.stressed() * BAND + price, 2 * MIN_USDT + price + spared)


def differences(plain: Outcome, other: Outcome, allowed: Slack) -> list[str]:
    """What the stream has changed."""
    found = [
        f"{name}: {getattr(plain, name)} without a stream, {getattr(other, name)} with it"
        for name in ("shorts", "hedges", "unknown")
        if getattr(plain, name) != getattr(other, name)
    ]
    found += [
        f"{coin}: {plain.coins[coin]} on spot without a stream, {amount} with it"
        for coin, amount in other.coins.items()
        if abs(amount - plain.coins[coin]) > allowed.coins[coin]
    ]
    for name in ("futures", "worth"):
        apart = getattr(other, name) - getattr(plain, name)
        if abs(apart) > getattr(allowed, name):
            found.append(f"{name}: {apart:+.4f} USDT with the stream, {getattr(allowed, name):.4f} allowed")
    return found
