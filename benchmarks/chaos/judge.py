"""The judge looks at the sandbox's books after every request; it knows nothing of the journal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from benchmarks.chaos.market import Freqtrade
from benchmarks.chaos.plan import Scenario
from freqtrade_fundhedge.sandbox.books import audit
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.ledger import SPOT
from freqtrade_fundhedge.sandbox.numbers import ZERO
from freqtrade_fundhedge.sandbox.orders import Order
from freqtrade_fundhedge.sandbox.transfers import Transfer

STRESS_MOVE, BAND = Decimal("0.25"), Decimal("0.1")
MIN_USDT = Decimal(1)
SWEEP = "UMFUTURE_MAIN"
MANY = Decimal(10)
NEAREST, BROUGHT_TO = Decimal("0.15"), Decimal("0.1875")
"""Distances to liquidation: at the first the guard acts, to the second it brings a short that had less at entry."""


@dataclass
class Judge:
    """What took effect, and whether it should have.

    Attributes
    ----------
    entry_margin : free USDT that an entry under way needs
    moved : swept less topped up since `begin`
    at_send : (due before, due after) each sweep that took effect
    taken : what sweeps moved though it was not due when they took effect
    users : coins of the user's own
    naked : USDT-seconds for which the legs differed
    """

    exchange: Exchange
    freqtrade: Freqtrade
    plan: Scenario
    strict: bool = True
    entry_margin: Decimal = ZERO
    intent: str = ""
    doubled_transfers: int = 0
    doubled_orders: int = 0
    at_send: list[tuple[Decimal, Decimal]] = field(default_factory=list)
    taken: Decimal = ZERO
    notes: list[str] = field(default_factory=list)
    last_sweep: float = 0.0
    users: dict[str, Decimal] = field(default_factory=dict)
    naked: Decimal = ZERO
    _gaps: Decimal = ZERO
    _looked: int | None = None
    _transfers: int = 0
    _orders: set[int] = field(default_factory=set)
    _by_intent: Counter[str] = field(default_factory=Counter)
    _begun: int = 0

    def begin(self) -> None:
        """The first exit comes next: what is delivered counts from here."""
        self._begun = len(self.exchange.transfers.rows)
        self.at_send.clear()
        self.taken = ZERO

    def give_user(self, coin: str, amount: Decimal) -> None:
        """Coins of the user's own, which must stay."""
        self.exchange.deposit(SPOT, coin, amount)
        self.users[coin] = amount

    # --- what is due

    def _figures(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """What could leave (can be below zero), free USDT (never is), the stress buffer, all that stress requires."""
        account = self.exchange.futures.account
        totals = account.totals()
        held = account.held()
        initial = sum((account.initial(p) for p in held if not p.isolated), ZERO)
        spare = totals.cross_wallet + totals.cross_pnl - initial
        could_leave = min(totals.cross_wallet - totals.cross_maintenance, spare)
        free = max(ZERO, spare)
        if not self.plan.cross:
            return could_leave, free, ZERO, ZERO
        stressed = sum((_stressed(account.notional(p), account.maintenance(p)) for p in held), ZERO)
        return could_leave, free, max(ZERO, stressed - (totals.cross_wallet + totals.cross_pnl - free)), stressed

    def due(self) -> Decimal:
        """What should leave the futures wallet now; below zero when nothing should."""
        could_leave, _, buffer, _ = self._figures()
        if self.plan.fund_entries:
            return could_leave - buffer - self.plan.keep
        freed = sum((trade.leg().freed for trade in self.freqtrade.trades), ZERO)
        return min(freed - self._moved(0), could_leave - buffer)

    def paid(self) -> Decimal:
        """Funding that came after the last sweep: beside cross shorts that stay it is price's own, in the band."""
        if not (self.plan.cross and self.plan.fund_entries and self.exchange.futures.account.held()):
            return ZERO
        rows = self.exchange.futures.income.rows
        return sum((r.amount for r in rows if r.kind == "FUNDING_FEE" and r.time / 1000 >= self.last_sweep), ZERO)

    def missing(self) -> Decimal:
        """What the shorts that stay and `keep_usdt` need more than there is; only topped up with `fund_entries`.

        A tenth of what the shorts require is price's own: so much of it may be gone before it is fetched again.
        """
        _, free, buffer, stressed = self._figures()
        lacking = buffer + self.plan.keep - free
        return lacking if self.plan.fund_entries and lacking > min(buffer, stressed * BAND) else ZERO

    def delivered(self) -> Decimal:
        """Swept less topped up since `begin`."""
        return self._moved(self._begun)

    def _moved(self, since: int) -> Decimal:
        rows = [row for row in self.exchange.transfers.rows[since:] if row.status == "CONFIRMED"]
        return sum((row.amount if row.kind == SWEEP else -row.amount for row in rows), ZERO)

    def _slack(self) -> Decimal:
        """By how much a figure may be stale through no fault of anybody's: the price moved on the way."""
        if self.plan.klass != "volatile":
            return Decimal("0.02")
        account = self.exchange.futures.account
        return sum((abs(account.notional(p)) for p in account.held()), ZERO) / 100 + Decimal("0.02")

    def stressed(self) -> Decimal:
        """What cross shorts need to live through their stress."""
        return self._figures()[3]

    def _endangered(self) -> Decimal:
        """USDT that isolated shorts near their liquidation get from the guard."""
        account, total = self.exchange.futures.account, ZERO
        for position in account.held():
            size = abs(account.notional(position)) + account.maintenance(position)
            spare = position.wallet + account.pnl(position) - account.maintenance(position)
            if position.isolated and spare < NEAREST * size:
                total += BROUGHT_TO * size - spare
        return total

    # --- after each request

    def note_gaps(self) -> None:
        """Count for how long the legs have differed by how much."""
        now, coins = self.exchange.now_ms(), self.users
        if self._looked is not None:
            self.naked += self._gaps * (now - self._looked) / 1000
        self._looked = now
        self._gaps = sum((abs(self.gap(coin + "USDT")) * self.exchange.markets.worth(coin) for coin in coins), ZERO)

    def look(self) -> None:
        """Judge what the request brought about."""
        self.note_gaps()
        rows = self.exchange.transfers.rows
        for row in rows[self._transfers :]:
            self._judge_transfer(row)
        self._transfers = len(rows)
        orders = self.exchange.spot.store.orders
        for key in [key for key in orders if key not in self._orders]:
            self._orders.add(key)
            if orders[key].filled:
                self._judge_order(orders[key])

    def _judge_transfer(self, row: Transfer) -> None:
        after = self.due()
        if row.kind == SWEEP:
            self.last_sweep = row.time / 1000
            self.at_send.append((after + row.amount, after))
            self.taken += min(row.amount, max(ZERO, -after))
            excess = -after
        else:
            excess = after - self.entry_margin - MIN_USDT if self.plan.fund_entries else row.amount
            excess -= self._endangered()
        self._by_intent[self.intent] += 1
        twins = [r for r in self.exchange.transfers.rows if r.kind == row.kind and r.amount == row.amount]
        again = self._by_intent[self.intent] > 1 or len(twins) > 1
        if again or (self.strict and excess > self._slack()):
            self.doubled_transfers += 1
            why = "again" if again else f"{excess:.2f} more than was due"
            self.notes.append(f"{row.kind} of {row.amount} took effect {why}")

    def _judge_order(self, order: Order) -> None:
        market = self.exchange.markets.spot[order.symbol]
        gap = self.gap(order.symbol)
        over = gap if order.side == "BUY" else -gap
        allowed = 2 * market.spec.min_notional / order.average + 2 * market.spec.step + order.filled / 500
        twins = [
            o
            for o in self.exchange.spot.store.orders.values()
            if o.client_id == order.client_id and o.filled and o.open
        ]
        if over > allowed or len(twins) > 1:
            self.doubled_orders += 1
            self.notes.append(f"{order.side} {order.filled} {order.symbol} took the spot leg {over} too far")

    def gap(self, spot_symbol: str) -> Decimal:
        """Our coins less what the shorts in them want, by the exchange's own figures."""
        spec = self.exchange.markets.spot[spot_symbol].spec
        positions = self.exchange.futures.account.held()
        perps = self.exchange.markets.perp
        wanted = sum(
            (
                -p.quantity * perps[p.symbol].coin.multiplier
                for p in positions
                if (spot := perps[p.symbol].coin.spot) is not None and spot.symbol == spot_symbol
            ),
            ZERO,
        )
        return self.exchange.ledger.balance(SPOT, spec.base) - self.users.get(spec.base, ZERO) - wanted

    # --- at the end

    def faults(self) -> list[str]:
        """What is wrong with coins and books at the end."""
        found = audit(self.exchange)
        for coin, amount in self.users.items():
            market = self.exchange.markets.spot[coin + "USDT"]
            gap, price = self.gap(market.symbol), market.mid(self.exchange.now_ms())
            dust = 2 * market.spec.min_notional / price + 2 * market.spec.step
            if abs(gap) > dust:
                found.append(f"{coin}: the spot leg is {gap} away from the short")
            if self.exchange.ledger.balance(SPOT, coin) < amount:
                found.append(f"{coin}: the user had {amount}")
        return found


def _stressed(notional: Decimal, maintenance: Decimal) -> Decimal:
    return abs(notional) * STRESS_MOVE + maintenance * (1 + STRESS_MOVE)
