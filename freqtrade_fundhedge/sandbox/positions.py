"""Positions, and the USDT account that carries them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from freqtrade_fundhedge.sandbox import margin
from freqtrade_fundhedge.sandbox.errors import BinanceError
from freqtrade_fundhedge.sandbox.ledger import FUTURES, Ledger
from freqtrade_fundhedge.sandbox.market import Markets
from freqtrade_fundhedge.sandbox.numbers import ZERO, cut8
from freqtrade_fundhedge.sandbox.orders import OrderStore


@dataclass
class Position:
    """One-way position in one symbol, with its margin settings; quantity zero means none."""

    symbol: str
    leverage: int = 20
    isolated: bool = False
    quantity: Decimal = ZERO
    entry: Decimal = ZERO
    wallet: Decimal = ZERO
    updated: int = 0

    def pnl(self, price: Decimal) -> Decimal:
        """Unrealised profit at a price."""
        return (price - self.entry) * self.quantity

    def closing_part(self, signed: Decimal) -> Decimal:
        """How much of a signed quantity would reduce this position."""
        if self.quantity * signed >= ZERO:
            return ZERO
        return min(abs(signed), abs(self.quantity))


@dataclass(frozen=True)
class MarginChange:
    """One change of an isolated position's margin."""

    time: int
    symbol: str
    amount: Decimal
    why: str


@dataclass(frozen=True)
class Totals:
    """The USDT futures account at one moment."""

    wallet: Decimal
    pnl: Decimal
    cross_wallet: Decimal
    cross_pnl: Decimal
    maintenance: Decimal
    cross_maintenance: Decimal
    position_initial: Decimal
    order_initial: Decimal
    available: Decimal
    withdrawable: Decimal


@dataclass
class Account:
    """The futures wallet with its positions."""

    markets: Markets
    ledger: Ledger
    store: OrderStore
    positions: dict[str, Position] = field(default_factory=dict)
    updated: int = 0
    margin_changes: list[MarginChange] = field(default_factory=list)

    def position(self, symbol: str) -> Position:
        """Find the position of a symbol, made on first use."""
        if symbol not in self.positions:
            brackets = self.markets.perp_market(symbol).spec.brackets
            self.positions[symbol] = Position(symbol, leverage=min(20, brackets[0].leverage))
        return self.positions[symbol]

    def held(self) -> list[Position]:
        """List positions that are not empty."""
        return [position for position in self.positions.values() if position.quantity]

    def mark(self, position: Position) -> Decimal:
        """Mark price of a position."""
        return self.markets.mark_price(position.symbol)

    def notional(self, position: Position) -> Decimal:
        """Signed notional at mark."""
        return position.quantity * self.mark(position)

    def pnl(self, position: Position) -> Decimal:
        """Unrealised profit at mark."""
        return position.pnl(self.mark(position))

    def initial(self, position: Position) -> Decimal:
        """Initial margin of the position at mark."""
        return abs(self.notional(position)) / position.leverage

    def maintenance(self, position: Position) -> Decimal:
        """Maintenance margin of the position at mark."""
        if not position.quantity:
            return ZERO
        brackets = self.markets.perp[position.symbol].spec.brackets
        return margin.maintenance_margin(brackets, self.notional(position))

    def order_initial(self, position: Position) -> Decimal:
        """Initial margin that open orders of the symbol hold."""
        buys, sells = self.order_notionals(position.symbol)
        return margin.open_order_margin(self.notional(position), buys, sells, position.leverage)

    def order_notionals(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Notional of open orders that may open: buys, sells."""
        sides = {"BUY": ZERO, "SELL": ZERO}
        for order in self.store.open(symbol):
            if not order.reduce_only:
                sides[order.side] += order.remaining * order.price
        return sides["BUY"], sides["SELL"]

    def wallet(self) -> Decimal:
        """Wallet balance: everything in USDT but unrealised profit."""
        return self.ledger.balance(FUTURES, "USDT")

    def cross_wallet(self) -> Decimal:
        """Wallet balance that no isolated position has locked."""
        return self.wallet() - sum((position.wallet for position in self.held()), ZERO)

    def totals(self) -> Totals:
        """Sum the account up."""
        held = self.held()
        cross = [position for position in held if not position.isolated]
        cross_wallet = self.cross_wallet()
        cross_pnl = sum((self.pnl(position) for position in cross), ZERO)
        cross_initial = sum((self.initial(position) for position in cross), ZERO)
        ordered = [self.position(symbol) for symbol in {order.symbol for order in self.store.open()}]
        orders = sum((self.order_initial(position) for position in ordered), ZERO)
        isolated_orders = sum((self.order_initial(p) for p in ordered if p.isolated), ZERO)
        cross_maintenance = sum((self.maintenance(position) for position in cross), ZERO)
        free = margin.available(cross_wallet, cross_pnl, cross_initial, orders)
        return Totals(
            wallet=self.wallet(),
            pnl=sum((self.pnl(position) for position in held), ZERO),
            cross_wallet=cross_wallet,
            cross_pnl=cross_pnl,
            maintenance=sum((self.maintenance(position) for position in held), ZERO),
            cross_maintenance=cross_maintenance,
            position_initial=sum((self.initial(position) for position in held), ZERO),
            order_initial=orders,
            available=cut8(free),
            withdrawable=cut8(margin.withdrawable(cross_wallet, cross_maintenance, isolated_orders, free)),
        )

    def liquidation_price(self, position: Position) -> Decimal:
        """Mark price at which this position is liquidated, other prices unchanged."""
        brackets = self.markets.perp[position.symbol].spec.brackets
        wallet = position.wallet
        if not position.isolated:
            others = [p for p in self.held() if not p.isolated and p is not position]
            wallet = self.cross_wallet()
            wallet += sum((self.pnl(p) - self.maintenance(p) for p in others), ZERO)
        return margin.liquidation_price(brackets, position.quantity, position.entry, wallet)

    def trade(self, position: Position, signed: Decimal, price: Decimal, now: int) -> Decimal:
        """Apply a trade to a position and move its margin; return the realised profit, not yet in the wallet."""
        part = position.closing_part(signed)
        realized = ZERO
        if part:
            realized = cut8((price - position.entry) * part * (1 if position.quantity > 0 else -1))
            share = part / abs(position.quantity)
            position.wallet = ZERO if share == 1 else position.wallet - cut8(position.wallet * share)
            position.quantity += part if signed > 0 else -part
        opened = abs(signed) - part
        if opened:
            before = abs(position.quantity)
            position.entry = (position.entry * before + price * opened) / (before + opened)
            position.quantity += opened if signed > 0 else -opened
            if position.isolated:
                added = cut8(price * opened / position.leverage)
                position.wallet += added
                self.margin_changes.append(MarginChange(now, position.symbol, added, "TRADE"))
        if not position.quantity:
            position.entry = position.wallet = ZERO
        position.updated = self.updated = now
        return realized

    def cover(self, position: Position) -> None:
        """Let an isolated position pay what the free wallet no longer can (a fee, say)."""
        missing = -self.cross_wallet()
        if position.isolated and missing > ZERO:
            position.wallet -= min(missing, position.wallet)

    def adjust_margin(self, symbol: str, amount: Decimal) -> None:
        """Add margin to an isolated position from the free wallet, or give some back."""
        position = self.position(symbol)
        if not position.isolated:
            raise BinanceError(-4049, "Add margin only support for isolated position.")
        if not position.quantity:
            raise BinanceError(-4054, "Cannot add position margin: position is 0.")
        if amount > self.totals().withdrawable:
            raise BinanceError(-4050, "Cross balance insufficient.")
        spare = margin.removable(position.wallet, self.pnl(position), self.initial(position))
        if amount < ZERO and -amount > spare:
            raise BinanceError(-4051, "Isolated balance insufficient.")
        position.wallet += amount
        position.updated = self.updated = self.markets.now_ms()
        self.margin_changes.append(MarginChange(self.updated, symbol, amount, "USER_ADJUST"))
