"""Key, clock and account against what a hedge needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from freqtrade_fundhedge.core.checks import Finding, fail, ok, warn
from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount

# Binance takes no request from 1,000 ms ahead of its clock; ccxt asks for a window of 10 s behind it.
AHEAD_LIMIT_MS: Final = 1000.0
BEHIND_LIMIT_MS: Final = 10_000.0
NOTICED_MS: Final = 500.0
DAY_S: Final = 86_400.0
# Days before the end of a key at which it is said again.
STAGES: Final = (1, 3, 7, 14, 30)


@dataclass(frozen=True)
class KeyFacts:
    """What a key may do; None where the venue does not say.

    Attributes
    ----------
    name : the configuration key that it comes from, such as exchange.key
    trades_spot : whether the spot leg and the transfers go by it; else only the short leg does
    expires_at : end of its right to trade, seconds since 1970
    portfolio : the key belongs to a portfolio margin account
    """

    name: str = "exchange.key"
    trades_spot: bool = True
    reads: bool | None = None
    spot: bool | None = None
    futures: bool | None = None
    transfers: bool | None = None
    withdraws: bool | None = None
    ip_bound: bool | None = None
    expires_at: float | None = None
    portfolio: bool | None = None

    def trades_futures(self, now: float) -> bool:
        """Whether futures endpoints answer to it, as far as is known; a key for spot alone is not asked."""
        if self.name != "exchange.key":
            return True
        return self.futures is not False and (self.expires_at is None or self.expires_at > now)


@dataclass(frozen=True)
class AccountFacts:
    """The keys, and the account's modes; None where the venue does not say."""

    keys: tuple[KeyFacts, ...] = ()
    hedge_mode: bool | None = None
    multi_assets: bool | None = None


def clock_finding(ahead_ms: float, rtt_ms: float, signed: bool = True) -> Finding:
    """How far this machine's clock is ahead of the exchange's (negative: behind), with half a round trip's doubt.

    `signed`: requests carry the time, so that the exchange refuses those that are too far off.
    """
    where = "ahead of" if ahead_ms > 0 else "behind"
    text = f"this clock is {abs(ahead_ms):,.0f} ms {where} the exchange's (± {rtt_ms / 2:,.0f} ms)"
    limit = AHEAD_LIMIT_MS if ahead_ms > 0 else BEHIND_LIMIT_MS
    remedy = "let NTP keep this machine's clock"
    if signed and abs(ahead_ms) - rtt_ms / 2 >= limit:
        return fail("clock", f"{text}, limit {limit:,.0f}: the exchange refuses Freqtrade's requests", remedy)
    if abs(ahead_ms) - rtt_ms / 2 >= NOTICED_MS:
        return warn("clock", f"{text}, limit {limit:,.0f}", remedy)
    return ok("clock", text)


def key_findings(key: KeyFacts, now: float) -> Iterator[Finding]:
    """Rights that are needed, rights that must not be, and how long they last.

    Parameters
    ----------
    now : seconds since 1970
    """
    needed = {
        "reading": (key.reads, "read the account", "Enable Reading"),
        "futures": (key.futures, "trade futures", "Enable Futures"),
    }
    if key.trades_spot:
        needed |= {
            "spot": (key.spot, "trade spot", "Enable Spot & Margin Trading"),
            "transfers": (key.transfers, "move USDT between wallets", "Permits Universal Transfer"),
        }
        if key.name != "exchange.key":
            del needed["futures"]
    for topic, (may, what, switch) in needed.items():
        name = _topic(key, topic)
        if may is False:
            yield fail(name, f"{key.name}: the key may not {what}", f"switch on '{switch}' for it")
        elif may:
            yield ok(name, f"{key.name} may {what}")
    if key.withdraws:
        remedy = "switch off 'Enable Withdrawals', no bot needs it"
        yield fail(_topic(key, "withdrawals"), f"{key.name}: the key may withdraw", remedy)
    elif key.withdraws is False:
        yield ok(_topic(key, "withdrawals"), f"{key.name} may not withdraw")
    yield from _lasting(key, now)


def _lasting(key: KeyFacts, now: float) -> Iterator[Finding]:
    topic = _topic(key, "ip")
    if key.ip_bound is False:
        yield warn(topic, f"{key.name} works from any address", "restrict it to this machine's IP")
    elif key.ip_bound:
        yield ok(topic, f"{key.name} is bound to IP addresses")
    topic = _topic(key, "expiry")
    if key.expires_at is None:
        if key.withdraws is not None:
            yield ok(topic, f"{key.name} has no date on which it ends")
        return
    days = (key.expires_at - now) / DAY_S
    if days <= 0:
        yield fail(topic, f"{key.name}: its right to trade has ended", "make a new key, or prolong this one")
        return
    left = f"{days:.0f} days" if days >= 2 else f"{days * 24:.0f} hours"
    stage = next((f"{limit} d" for limit in STAGES if days <= limit), "")
    if stage:
        remedy = "prolong it, or make a new key: without it no short can be closed"
        yield warn(topic, f"{key.name}: its right to trade ends in {left}", remedy, stage)
    else:
        yield ok(topic, f"{key.name} may trade for another {left}")


def _topic(key: KeyFacts, what: str) -> str:
    return f"key-{what}" if key.name == "exchange.key" else f"spot-key-{what}"


def mode_findings(facts: AccountFacts, margin_mode: str) -> Iterator[Finding]:
    """Position mode, asset mode and portfolio margin; `margin_mode` is Freqtrade's, isolated or cross."""
    if facts.hedge_mode:
        yield fail("hedge-mode", "the futures account is in hedge mode", "switch Position Mode to One-way")
    elif facts.hedge_mode is False:
        yield ok("hedge-mode", "one-way position mode")
    if facts.multi_assets and margin_mode != "cross":
        yield fail(
            "asset-mode", f"the futures account is in multi-assets mode, which margin_mode {margin_mode} can't use",
            "switch Asset Mode to Single-Asset, or set margin_mode: cross",
        )  # fmt: skip
    elif facts.multi_assets:
        text = "multi-assets mode: other coins in the futures wallet are margin too"
        yield warn("asset-mode", text, "single-asset mode keeps them out of it")
    elif facts.multi_assets is False:
        yield ok("asset-mode", f"single-asset mode, margin_mode {margin_mode}")
    if any(key.portfolio for key in facts.keys):
        text = "the key belongs to a portfolio margin account, which has no futures wallet of its own"
        yield fail("portfolio-margin", text, "use an account in classic mode, such as a sub-account")
    elif any(key.portfolio is False for key in facts.keys):
        yield ok("portfolio-margin", "no portfolio margin")


def fitness(facts: AccountFacts, margin_mode: str, now: float) -> list[Finding]:
    """All that the keys and the modes say."""
    return [*(f for key in facts.keys for f in key_findings(key, now)), *mode_findings(facts, margin_mode)]


def told_findings(reasons: Sequence[str], advice: Sequence[str]) -> Iterator[Finding]:
    """What an exchange without such questions says of key and account: its reasons to refuse, and its advice."""
    yield fail("account", "; ".join(reasons)) if reasons else ok("account", "the account is fit")
    yield warn("advice", "; ".join(advice)) if advice else ok("advice", "nothing that a careful person would change")


@dataclass(frozen=True)
class Holdings:
    """What is there, beside what the journal knows.

    Attributes
    ----------
    spot : total by coin
    ours : by coin, held for hedges that are not over, of any bot on the journal
    short_pairs : pairs of these hedges
    symbols : the spot coins that a whitelisted pair is hedged with
    """

    spot: Mapping[str, Decimal]
    futures: FuturesAccount
    stake: str
    ours: Mapping[str, Decimal] = field(default_factory=dict)
    short_pairs: frozenset[str] = frozenset()


def holding_findings(held: Holdings) -> Iterator[Finding]:
    """Positions and coins that are not ours are the user's business; coins of ours that are gone are not."""
    strangers = [p for p in held.futures.positions if p.pair not in held.short_pairs]
    for position in strangers:
        side = "short" if position.is_short else "long"
        text = f"{position.pair}: a {side} of {position.quantity.normalize():f} that the journal does not know"
        yield warn(f"position {position.pair}", text, "no entries in this pair until it is closed")
    if not strangers:
        known = len(held.futures.positions)
        yield ok("positions", f"{known} open, ours" if known else "no open positions")
    for coin, amount in held.ours.items():
        there = held.spot.get(coin, ZERO)
        if there < amount:
            text = f"the journal holds {amount.normalize():f} {coin} for its hedges, spot has {there.normalize():f}"
            yield fail(f"coins {coin}", text, "put them back, or close the hedge")
    own = {c: a - held.ours.get(c, ZERO) for c, a in held.spot.items() if c != held.stake}
    shown = [f"{amount.normalize():f} {coin}" for coin, amount in sorted(own.items()) if amount > 0]
    if shown:
        more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
        yield ok("coins", f"not this bot's, never touched: {', '.join(shown[:5])}{more}")
    else:
        yield ok("coins", "no coins on spot but ours" if held.ours else "no coins on spot")


@dataclass(frozen=True)
class Funds:
    """What the planned hedges need, and what is there; all in the stake currency.

    Attributes
    ----------
    margin, spot_cost : of one hedge, fees and slippage included; 0 where the stake takes what there is
    slots : hedges that may still be opened, None for any number
    shared : margin is fetched from spot when it is needed, so that both wallets count as one
    pooled : both sides are one account, all of it in `spot_free`
    """

    margin: Decimal
    spot_cost: Decimal
    slots: int | None
    shared: bool
    spot_free: Decimal
    futures_free: Decimal
    stake: str = "USDT"
    pooled: bool = False


def funds_finding(funds: Funds) -> Finding:
    """How many of the planned hedges fit, both legs."""
    spot, futures = funds.spot_free, funds.futures_free
    have = f"{spot:,.2f} {funds.stake} on spot, {futures:,.2f} free on futures"
    have = f"{spot:,.2f} {funds.stake} free" if funds.pooled else have
    per = f"a hedge takes {funds.margin:,.2f} as margin and {funds.spot_cost:,.2f} on spot"
    both = funds.margin + funds.spot_cost
    if both <= 0:
        return fail("funds", f"{have}: nothing to open a hedge with", f"bring {funds.stake} to spot")
    on_futures = int(futures // funds.margin) if funds.margin else 10**6
    fits = int((spot + futures) // both) if funds.shared else min(on_futures, int(spot // funds.spot_cost))
    if funds.shared:
        fits = min(fits, int(spot // funds.spot_cost))
    if funds.slots == 0:
        return ok("funds", f"{have}; all hedges of max_open_trades are open")
    if not fits:
        return fail("funds", f"{have}: {per}, not one fits", "lower stake_amount or bring more")
    if funds.slots is not None and fits < funds.slots:
        text = f"{have}: {per}, {fits} of {funds.slots} fit"
        return warn("funds", text, "lower stake_amount or max_open_trades, or bring more")
    planned = f"{fits} fit" if funds.slots is None else "it fits" if funds.slots == 1 else f"all {funds.slots} fit"
    return ok("funds", f"{have}: {per}, {planned}")
