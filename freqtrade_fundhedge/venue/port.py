"""The venue port: all that the controller may ask of an exchange account.

Every method either returns a plain value or raises one of the `VenueError` family (errors.py): `NotSent`, `Rejected`
and its children, or `OutcomeUnknown`. Reads may be repeated; `send_order` and `send_transfer` make one attempt each
and never retry.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from freqtrade_fundhedge.market import SpotMarket
from freqtrade_fundhedge.venue.perpetuals import FundingQuote, PerpState

ZERO = Decimal(0)


class Side(StrEnum):
    """Of a spot order."""

    BUY = "buy"
    SELL = "sell"


class Direction(StrEnum):
    """Of a transfer."""

    SWEEP = "futures_to_spot"
    TOP_UP = "spot_to_futures"


class MarginKind(StrEnum):
    """Of a change of an isolated position's margin."""

    ADD = "add"
    REDUCE = "reduce"


class Evidence(StrEnum):
    """What the exchange's records say of a transfer or an order that was sent."""

    APPLIED = "applied"
    PENDING = "pending"
    FAILED = "failed"
    NOT_SEEN = "not_seen"


@dataclass(frozen=True)
class Position:
    """A position on the exchange: quantity > 0 in the perpetual's base units, notional and margins in quote.

    `isolated_margin` is what stands behind it alone, None when it shares the wallet (cross).
    """

    pair: str
    quantity: Decimal
    notional: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    unrealised: Decimal
    is_short: bool = True
    isolated_margin: Decimal | None = None


@dataclass(frozen=True)
class FuturesAccount:
    """The futures wallet at one instant, in quote units.

    `wallet` is the balance without unrealised P&L; `withdrawable` is what the venue would let go right now, which is
    never more than ccxt's `free` and often less; `free` is what a new entry may use.
    """

    wallet: Decimal
    free: Decimal
    withdrawable: Decimal
    positions: tuple[Position, ...] = ()

    def short(self, pair: str) -> Decimal:
        """Quantity of the short in `pair`, 0 without one."""
        return self._shorts.get(pair, ZERO)

    @cached_property
    def _shorts(self) -> Mapping[str, Decimal]:
        shorts: dict[str, Decimal] = {}
        for position in self.positions:
            if position.is_short:
                shorts[position.pair] = shorts.get(position.pair, ZERO) + position.quantity
        return shorts


@dataclass(frozen=True)
class Quote:
    """Best prices and the levels behind them, best first: ((price, quantity), ...). `at` in seconds since 1970."""

    symbol: str
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    at: float

    @classmethod
    def around(cls, symbol: str, price: Decimal, tick: Decimal, at: float) -> Quote:
        """The ticks on both sides of a price, where nothing is known of the book."""
        bid = price // tick * tick if tick > 0 else price
        return cls(symbol, ((bid, ZERO),), ((bid + tick, ZERO),), at)

    def best(self, side: Side) -> Decimal:
        """The best price a taker on `side` would meet, 0 on an empty book."""
        levels = self.asks if side is Side.BUY else self.bids
        return levels[0][0] if levels else ZERO


@dataclass(frozen=True)
class Fill:
    """What came of a spot order that is final: base filled (before fees), quote exchanged, fees by coin."""

    exchange_id: str
    quantity: Decimal
    quote: Decimal
    fees: Mapping[str, Decimal] = field(default_factory=dict)
    answer: str = ""

    def fee(self, coin: str) -> Decimal:
        """The fee taken in `coin`."""
        return self.fees.get(coin, ZERO)


@dataclass(frozen=True)
class OrderFill:
    """What the exchange tells of one futures order when it happens, in the perpetual's base units.

    `filled` is cumulative, `price` the average of it, `at` the exchange's time of it in seconds since 1970.
    """

    order_id: str
    client_id: str
    pair: str
    sells: bool
    reduce_only: bool
    quantity: Decimal
    filled: Decimal
    price: Decimal
    at: float


@dataclass(frozen=True)
class OrderRequest:
    """An immediate-or-cancel limit order on spot. `client_id` is the intent's id."""

    client_id: str
    market: SpotMarket
    side: Side
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True)
class TransferRequest:
    """A wallet movement of `amount` of `asset`. `client_key` is used where the venue takes one."""

    client_key: str
    direction: Direction
    asset: str
    amount: Decimal


@dataclass(frozen=True)
class TransferRecord:
    """A line of the venue's transfer history."""

    exchange_id: str
    direction: Direction
    asset: str
    amount: Decimal
    at: float
    evidence: Evidence
    client_key: str = ""


@dataclass(frozen=True)
class MarginRecord:
    """A line of the venue's history of isolated margin: `amount` > 0, `at` in seconds since 1970."""

    kind: MarginKind
    amount: Decimal
    at: float


@dataclass(frozen=True)
class ShortEntry:
    """An order that sold a perpetual: ordered and filled in its base units, `at` in seconds since 1970."""

    quantity: Decimal
    filled: Decimal
    at: float


class Venue(Protocol):
    """One exchange account, live or paper."""

    name: str
    transfer_step: Decimal
    """Smallest step of a transferred amount in the stake currency."""

    @property
    def separate_wallets(self) -> bool:
        """False where spot and futures are one account: no transfer is ever made, and the free USDT of
        `futures_account` and of `spot_balances` are the same money."""

    concurrent: bool
    """Whether `send_order`, `quote` and `spot_trading` may be called beside anything else, from several threads."""
    values_positions: bool
    """False where positions stand as they were entered, so that nothing can be said about their margin."""
    margin_step: Decimal
    """Smallest step of an isolated position's margin; 0 where it can't be changed."""

    def market(self, pair: str) -> SpotMarket:
        """The spot market of a perpetual. Raises ConfigError where there is none."""

    def futures_account(self) -> FuturesAccount:
        """Wallet, withdrawable amount and positions, in as few requests as the venue allows."""

    def spot_balances(self) -> Mapping[str, Decimal]:
        """Free amounts on spot by coin."""

    def quote(self, symbol: str) -> Quote:
        """The spot book of `symbol`."""

    def funding(self) -> Mapping[str, FundingQuote]:
        """Predicted funding by pair, all pairs in one request."""

    def refresh_intervals(self) -> None:
        """Read funding intervals and caps anew, so that `funding` has them as they are now; one request."""

    def perp_states(self, pairs: Collection[str]) -> Mapping[str, PerpState]:
        """What the venue says of perpetuals now; one request."""

    def spot_trading(self, symbols: Collection[str]) -> Mapping[str, bool]:
        """Whether spot markets take orders now; one request."""

    def spot_ends(self) -> Mapping[str, float]:
        """Announced ends of spot markets by symbol, seconds since 1970; one request, none without a key."""

    def candles(self, symbol: str, timeframe: str, since_ms: int, limit: int) -> Sequence[Sequence[float]]:
        """Spot candles [[open time in ms, o, h, l, c, v], ...], oldest first."""

    def send_order(self, order: OrderRequest) -> Fill:
        """Send once. Raises OutcomeUnknown unless the exchange's answer is final."""

    def find_order(self, order: OrderRequest) -> tuple[Evidence, Fill | None]:
        """What became of an order, by its client id."""

    def transfer_key(self, key: str) -> str:
        """How a transfer sent under `key` shows in the history's `client_key`; "" where the venue takes no key."""

    def send_transfer(self, transfer: TransferRequest) -> str:
        """Send once; returns the exchange's id. Raises OutcomeUnknown when there is none in the answer."""

    def transfers(self, direction: Direction, asset: str, since: float) -> Sequence[TransferRecord]:
        """The venue's history of one direction since a time (seconds since 1970), complete."""

    def wallet_flows(self, asset: str, since: float) -> Decimal:
        """Sum of realised P&L, commissions and funding in the futures wallet since a time, without transfers."""

    def refuse_reasons(self) -> Sequence[str]:
        """What about the account or key forbids hedging: one line with the remedy each, empty when fit."""

    def entries(self, pair: str, since: float) -> Sequence[ShortEntry]:
        """Orders that sold `pair` since a time (seconds since 1970)."""

    def close_short(self, pair: str, quantity: Decimal, client_id: str) -> Decimal:
        """Buy back once, reduce-only, a short that Freqtrade does not know; returns the quantity filled.

        Raises OutcomeUnknown unless the exchange's answer is final.
        """

    def find_close(self, pair: str, client_id: str) -> tuple[Evidence, Decimal]:
        """What became of a close, by its client id, and the quantity filled."""

    def change_margin(self, pair: str, kind: MarginKind, amount: Decimal) -> None:
        """Send once: move `amount` between the futures wallet and an isolated position."""

    def margin_history(self, pair: str, kind: MarginKind, since: float) -> Sequence[MarginRecord]:
        """Changes of a position's margin since a time (seconds since 1970), complete."""
