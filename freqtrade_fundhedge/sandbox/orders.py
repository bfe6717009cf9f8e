"""Orders and trades, the same record for spot and perpetual."""

from __future__ import annotations

import itertools
import re
from collections import deque
from dataclasses import dataclass, field, replace
from decimal import Decimal

from freqtrade_fundhedge.sandbox.numbers import ZERO

OPEN_STATES = frozenset({"NEW", "PARTIALLY_FILLED"})
SPOT_CLIENT_ID = re.compile(r"^[a-zA-Z0-9-_]{1,36}$")
FUTURES_CLIENT_ID = re.compile(r"^[.A-Z:/a-z0-9_-]{1,36}$")


@dataclass
class Fill:
    """One trade of an order."""

    id: int
    order_id: int
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str
    maker: bool
    time: int
    realized: Decimal = ZERO

    @property
    def quote(self) -> Decimal:
        """Quote value of the trade."""
        return self.price * self.quantity


@dataclass
class Order:
    """One order and what became of it."""

    id: int
    client_id: str
    symbol: str
    side: str
    type: str
    time_in_force: str
    quantity: Decimal
    price: Decimal
    time: int
    quote_quantity: Decimal = ZERO
    reduce_only: bool = False
    iceberg: Decimal = ZERO
    stp: str = "NONE"
    status: str = "NEW"
    filled: Decimal = ZERO
    quote: Decimal = ZERO
    updated: int = 0
    reached: bool = False
    fills: list[Fill] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether it still rests in the book."""
        return self.status in OPEN_STATES

    @property
    def remaining(self) -> Decimal:
        """Quantity not yet filled."""
        return self.quantity - self.filled

    @property
    def average(self) -> Decimal:
        """Average price of what is filled."""
        return self.quote / self.filled if self.filled else ZERO

    def add(self, fill: Fill) -> None:
        """Book a fill."""
        self.fills.append(fill)
        self.filled += fill.quantity
        self.quote += fill.quote
        self.updated = fill.time
        self.status = "FILLED" if self.filled >= self.quantity else "PARTIALLY_FILLED"


@dataclass(frozen=True)
class Change:
    """What happened to an order: Binance's execution type, the order as it was then, and the trade if it was one."""

    kind: str
    order: Order
    fill: Fill | None = None


@dataclass
class OrderStore:
    """Every order of one side of the exchange; client ids are unique among open orders only.

    ``changes`` waits for the user-data streams; what nobody collects is forgotten.
    """

    orders: dict[int, Order] = field(default_factory=dict)
    trades: list[Fill] = field(default_factory=list)
    live: dict[int, Order] = field(default_factory=dict)
    changes: deque[Change] = field(default_factory=lambda: deque(maxlen=10_000))

    def note(self, kind: str, order: Order, fill: Fill | None = None) -> None:
        """Keep a change for the streams."""
        self.changes.append(Change(kind, replace(order), fill))

    def add(self, order: Order) -> None:
        """Keep an order, whatever its state."""
        self.orders[order.id] = order
        if order.open:
            self.live[order.id] = order

    def open(self, symbol: str | None = None) -> list[Order]:
        """List resting orders."""
        for order in [order for order in self.live.values() if not order.open]:
            del self.live[order.id]
        return [order for order in self.live.values() if symbol in {None, order.symbol}]

    def find(self, symbol: str, order_id: int | None, client_id: str | None) -> Order | None:
        """Find by id, else the newest with that client id."""
        if order_id is not None:
            order = self.orders.get(order_id)
            return order if order is not None and order.symbol == symbol else None
        matches = [o for o in self.orders.values() if o.client_id == client_id and o.symbol == symbol]
        return matches[-1] if matches else None

    def taken(self, symbol: str, client_id: str) -> bool:
        """Whether an open order already carries this client id."""
        return any(order.client_id == client_id for order in self.open(symbol))


class Ids:
    """Counters in the size that Binance's ids have."""

    def __init__(self) -> None:
        self.spot_order = itertools.count(9_780_331_417)
        self.futures_order = itertools.count(4_087_922_044)
        self.algo_order = itertools.count(2_146_760)
        self.spot_trade = itertools.count(309_520_010)
        self.futures_trade = itertools.count(272_536_245)
        self.transfer = itertools.count(177_270_306_444)
        self.income = itertools.count(8_082_457_372_019)
