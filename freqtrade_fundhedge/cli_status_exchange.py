"""`fundhedge status --exchange`: the reading in lines, and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict
from decimal import Decimal
from functools import cached_property
from typing import Any

from freqtrade_fundhedge.cli_common import Loaded
from freqtrade_fundhedge.cli_progress import waiting
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.messages import cents, digits, number
from freqtrade_fundhedge.status_exchange import Reading, Standing, Wallets, look
from freqtrade_fundhedge.sweep_by_hand import by_hand
from freqtrade_fundhedge.venue.connect import connect_account, connect_public, credentials
from freqtrade_fundhedge.venue.live import LiveVenue, PublicSpot
from freqtrade_fundhedge.venue.port import Direction


class Exchange:
    """The exchange of a configuration, connected at the first look and then kept.

    Parameters
    ----------
    loaded : with live keys both legs, margin and wallets are read, without only public prices
    quiet : no bar while it is waited for
    """

    def __init__(self, loaded: Loaded, quiet: bool = False) -> None:
        self.loaded = loaded
        self.quiet = quiet
        self.stake = str(loaded.config["stake_currency"])

    @cached_property
    def venue(self) -> PublicSpot:
        """The account, or without a key the public market."""
        exchange = self.loaded.config["exchange"]
        api = connect_public(exchange)
        if self.loaded.config["dry_run"] or not credentials(exchange).get("apiKey"):
            return PublicSpot(api)
        return connect_account(api, exchange, self.loaded.section.spot, self.stake)

    def look(self, journal: Journal, now: float) -> Reading:
        """One reading.

        Raises
        ------
        VenueError, JournalError, ConfigError : it can't be had
        """
        with nullcontext() if self.quiet else waiting("asking the exchange"):
            venue, section = self.venue, self.loaded.section
            cross = str(self.loaded.config.get("margin_mode")) == "cross"
            hand = (
                by_hand(Context(venue, journal, section, self.stake, cross)) if isinstance(venue, LiveVenue) else None
            )
            return look(venue, journal, hand, self.stake, section.transfer.enabled, now)


def lines(reading: Reading, stake: str) -> Iterator[str]:
    """The reading for people, a few lines a hedge."""
    for hedge in reading.hedges:
        yield from _hedge(hedge, stake)
    if reading.wallets is None:
        yield "Wallets, margin and the short leg are not read: that takes the live keys."
    else:
        yield from _wallets(reading.wallets, stake)


def _hedge(hedge: Standing, stake: str) -> Iterator[str]:
    short = f"short {number(hedge.short)}" if hedge.short is not None else "short not read"
    delta = f", delta {number(hedge.delta) if hedge.delta else '0'}" if hedge.delta is not None else ""
    yield f"{hedge.pair}: {short}, spot {number(hedge.held)}{delta}"
    yield f"  mark {digits(hedge.mark)}, spot bid {digits(hedge.bid)}, basis {_percent(hedge.basis, 2)}" + (
        f" (at the entry {_percent(hedge.basis_in, 2)})" if hedge.basis_in is not None else ""
    )
    since = hedge.earned.apr if hedge.earned is not None else None
    yield f"  funding a year: {_percent(hedge.apr, 1)} now, {_percent(since, 1)} since the entry"
    if hedge.earned is not None:
        so_far = hedge.earned
        yield (
            f"  earned so far: funding {cents(so_far.funding)}, basis {cents(so_far.basis)}, fees {cents(-so_far.fees)}"
        )
        yield f"    together {cents(so_far.total)} {stake}"
    if hedge.margin is not None:
        far = f"liquidation at {_percent(hedge.distance, 0)}" if hedge.distance is not None else ""
        yield f"  margin {hedge.margin:,.2f} {stake}, {far}"


def _wallets(wallets: Wallets, stake: str) -> Iterator[str]:
    yield f"Wallets, {stake}: spot {wallets.spot:,.2f} free, futures {wallets.wallet:,.2f}"
    yield f"  of futures free {wallets.free:,.2f}, can be withdrawn {wallets.withdrawable:,.2f}"
    arithmetic = f"shorts need {wallets.figures['stress_buffer']:,.2f}, keep_usdt {wallets.figures['keep']:,.2f}"
    if "freed" in wallets.figures:
        arithmetic += f", freed {wallets.figures['freed']:,.2f}"
    yield f"Treasury: {_wish(wallets)}"
    yield f"  {arithmetic}; margin for entries comes on top"
    if wallets.stress_by:
        yield f"  price rise to live through: {wallets.stress_by}"


def _wish(wallets: Wallets) -> str:
    if wallets.next is None:
        return "nothing to move"
    name = "sweep" if wallets.next.direction is Direction.SWEEP else "top-up"
    return f"{name} of {wallets.next.amount:,.2f} next"


def _percent(value: Decimal | float | None, places: int) -> str:
    return "not known" if value is None else f"{float(value):+.{places}%}"


def as_json(reading: Reading) -> dict[str, Any]:
    """The reading for machines, amounts exact."""
    hedges = []
    for hedge in reading.hedges:
        fields = asdict(hedge)
        if hedge.earned is not None:
            fields["earned"]["total"] = hedge.earned.total
        hedges.append(fields)
    answer: dict[str, Any] = _exact({"hedges": hedges, "wallets": asdict(reading.wallets) if reading.wallets else None})
    return answer


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _exact(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_exact(inner) for inner in value]
    return f"{value:f}" if isinstance(value, Decimal) else value
