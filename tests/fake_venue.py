"""An exchange account in memory that may lose answers, refuse, fill partly, lag its history, and die mid-call.

It keeps its own books and checks, at each send, that nothing is sent while an earlier intent is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal as D

from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.errors import BackOff, Denied, Insufficient, NotSent, OutcomeUnknown, Rejected
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.market import SpotMarket
from freqtrade_fundhedge.venue.perpetuals import FundingQuote, PerpState
from freqtrade_fundhedge.venue.port import (
    ZERO,
    Direction,
    Evidence,
    Fill,
    FuturesAccount,
    MarginKind,
    MarginRecord,
    OrderRequest,
    Position,
    Quote,
    ShortEntry,
    Side,
    TransferRecord,
    TransferRequest,
)

PAIR, SYMBOL = "BTC/USDT:USDT", "BTC/USDT"
MARKET = SpotMarket(PAIR, SYMBOL, "BTC", "USDT", D(1), D("0.00001"), D("0.01"), D("0.00001"), D(5), D("0.001"), True)
FEE = D("0.0005")


class Killed(BaseException):
    """The process dies here."""


@dataclass
class FakeVenue:
    """See `Venue`. `faults` are consumed one per call of their kind (read, order, transfer); none: all well.

    Without `separate_wallets` the USDT on spot is the whole pool, and `wallet` is not used.
    """

    now: Callable[[], float]
    spot: dict[str, D] = field(default_factory=dict)
    wallet: D = ZERO
    shorts: dict[str, tuple[D, D, D]] = field(default_factory=dict)  # pair -> quantity, entry price, margin
    price: D = D(50_000)
    faults: dict[str, list[str]] = field(default_factory=dict)
    lag_s: float = 0.0
    positions_lag_s: float = 0.0
    journal: Journal | None = None
    name: str = "fake"
    transfer_step: D = D("0.00000001")
    separate_wallets: bool = True
    keyed: bool = False
    orders: dict[str, Fill] = field(default_factory=dict)
    margin_step: D = D("0.00000001")
    concurrent: bool = False
    values_positions: bool = True
    isolated: bool = False
    margins: list[MarginRecord] = field(default_factory=list)
    closes: dict[str, D] = field(default_factory=dict)
    short_entries: dict[str, list[ShortEntry]] = field(default_factory=dict)
    perp: PerpState = field(default_factory=PerpState)
    spot_trades: bool = True
    ends: dict[str, float] = field(default_factory=dict)
    terms: tuple[float, float | None] = (8.0, 0.02)
    next_terms: tuple[float, float | None] = (8.0, 0.02)
    foreign: tuple[Position, ...] = ()
    history: list[TransferRecord] = field(default_factory=list)
    flows: list[tuple[float, D]] = field(default_factory=list)
    before: list[tuple[float, dict[str, tuple[D, D, D]]]] = field(default_factory=list)
    applied: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)

    def _fault(self, kind: str) -> str:
        waiting = self.faults.get(kind)
        return waiting.pop(0) if waiting else ""

    def _read(self) -> None:
        fault = self._fault("read")
        if fault == "kill":
            raise Killed
        if fault == "not_sent":
            raise NotSent("no route")
        if fault == "lost":
            raise OutcomeUnknown("timed out")
        if fault == "back_off":
            raise BackOff("too many requests", "-1003", 1.0)

    # --- Freqtrade's side, without faults

    def open_short(self, quantity: D, leverage: D) -> None:
        """A filled market order of Freqtrade's."""
        self.before.append((self.now(), dict(self.shorts)))
        old, entry, margin = self.shorts.get(PAIR, (ZERO, self.price, ZERO))
        fee = quantity * self.price * FEE
        entry = (old * entry + quantity * self.price) / (old + quantity)
        self.shorts[PAIR] = (old + quantity, entry, margin + quantity * self.price / leverage)
        self.short_entries.setdefault(PAIR, []).append(ShortEntry(quantity, quantity, self.now()))
        self._flow(-fee)

    def close_short_by(self, quantity: D) -> D:
        """A filled reduce-only order; the realised P&L with its fee."""
        self.before.append((self.now(), dict(self.shorts)))
        held, entry, margin = self.shorts[PAIR]
        quantity = min(quantity, held)
        profit = quantity * (entry - self.price) - quantity * self.price * FEE
        self._flow(profit)
        left = held - quantity
        if left:
            self.shorts[PAIR] = (left, entry, margin * left / held)
        else:
            del self.shorts[PAIR]
        return profit

    def liquidate(self) -> None:
        """Isolated shorts that their margin does not carry any more; what is left of it goes to the insurance fund."""
        for pair, (quantity, entry, margin) in list(self.shorts.items()):
            left = margin + quantity * (entry - self.price)
            if self.isolated and left <= quantity * self.price * D("0.004"):
                del self.shorts[pair]
                self._flow(-margin)

    def _flow(self, amount: D) -> None:
        if self.separate_wallets:
            self.wallet += amount
        else:
            self.spot["USDT"] += amount
        self.flows.append((self.now(), amount))

    def withdrawable(self) -> D:
        """Wallet less isolated margins."""
        return max(ZERO, self.balance() - sum((m for _, _, m in self.shorts.values()), ZERO))

    def balance(self) -> D:
        """Of the wallet that the shorts live in."""
        return self.wallet if self.separate_wallets else self.spot["USDT"]

    def _shown(self) -> dict[str, tuple[D, D, D]]:
        """Shorts as a read shows them: what happened within the lag is not there yet."""
        since = self.now() - self.positions_lag_s
        return next((shorts for at, shorts in self.before if at > since), self.shorts)

    # --- the port

    def market(self, pair: str) -> SpotMarket:
        return MARKET

    def futures_account(self) -> FuturesAccount:
        self._read()
        positions = tuple(
            Position(
                pair,
                q,
                q * self.price,
                q * self.price / 3 if self.isolated else m,
                q * self.price * D("0.004"),
                q * (e - self.price),
                isolated_margin=m if self.isolated else None,
            )
            for pair, (q, e, m) in self._shown().items()
        )
        return FuturesAccount(self.balance(), self.withdrawable(), self.withdrawable(), positions + self.foreign)

    def spot_balances(self) -> Mapping[str, D]:
        self._read()
        return dict(self.spot) if self.separate_wallets else {**self.spot, "USDT": self.withdrawable()}

    def quote(self, symbol: str) -> Quote:
        self._read()
        bid, ask = self.price - D("0.5"), self.price + D("0.5")
        return Quote(symbol, ((bid, D(100)),), ((ask, D(100)),), self.now())

    def funding(self) -> Mapping[str, FundingQuote]:
        self._read()
        hours, cap = self.terms
        return {PAIR: FundingQuote(0.0001, hours, self.now() + 3600, float(self.price), float(self.price), cap)}

    def refresh_intervals(self) -> None:
        self._read()
        self.terms, self.next_terms = self.next_terms, self.next_terms

    def perp_states(self, pairs: Collection[str]) -> Mapping[str, PerpState]:
        self._read()
        return dict.fromkeys(pairs, self.perp)

    def spot_trading(self, symbols: Collection[str]) -> Mapping[str, bool]:
        self._read()
        return dict.fromkeys(symbols, self.spot_trades)

    def spot_ends(self) -> Mapping[str, float]:
        self._read()
        return dict(self.ends)

    def candles(self, symbol: str, timeframe: str, since_ms: int, limit: int) -> Sequence[Sequence[float]]:
        return []

    def send_order(self, order: OrderRequest) -> Fill:
        if self.journal is not None:
            open_rows = [r for r in self.journal.open_orders() if r.pair == order.market.pair]
            assert [r.intent_id for r in open_rows] == [order.client_id], "sent while another order was unknown"
            assert open_rows[0].state is State.SENT, "sent without a durable record"
        self.sent["order"] += 1
        fault = self._fault("order")
        _raise_before(fault)
        fill = self._match(order, partly=fault == "partial")
        self.applied[order.client_id] += 1
        self.orders[order.client_id] = fill
        _raise_after(fault)
        return fill

    def _match(self, order: OrderRequest, partly: bool) -> Fill:
        quote = Quote("", ((self.price - D("0.5"), D(100)),), ((self.price + D("0.5"), D(100)),), 0)
        price, quantity = quote.best(order.side), order.quantity
        if (order.price < price) if order.side is Side.BUY else (order.price > price):
            quantity = ZERO
        if partly:
            quantity = (quantity / 2 / MARKET.lot).to_integral_value() * MARKET.lot
        cost, sign = quantity * price, (1 if order.side is Side.BUY else -1)
        fees = {"BTC": quantity * MARKET.taker_fee} if order.side is Side.BUY else {"USDT": cost * MARKET.taker_fee}
        if not quantity:
            fees = {}
        after = {"BTC": sign * quantity - fees.get("BTC", ZERO), "USDT": -sign * cost - fees.get("USDT", ZERO)}
        for coin, change in after.items():
            taken = self.balance() - self.withdrawable() if coin == "USDT" and not self.separate_wallets else ZERO
            if self.spot.get(coin, ZERO) - taken + change < 0:
                raise Insufficient("Account has insufficient balance", "-2010")
        for coin, change in after.items():
            self.spot[coin] = self.spot.get(coin, ZERO) + change
        return Fill(f"o{len(self.orders) + 1}", quantity, cost, fees, "fake")

    def find_order(self, order: OrderRequest) -> tuple[Evidence, Fill | None]:
        self._read()
        fill = self.orders.get(order.client_id)
        return (Evidence.APPLIED, fill) if fill is not None else (Evidence.NOT_SEEN, None)

    def transfer_key(self, key: str) -> str:
        return f"key of {key}" if self.keyed else ""

    def send_transfer(self, transfer: TransferRequest) -> str:
        intent = "-".join(transfer.client_key.split("-")[:2])
        if self.journal is not None:
            open_rows = self.journal.open_transfers()
            assert [r.intent_id for r in open_rows] == [intent], "sent while another transfer was unknown"
            assert open_rows[0].state is State.SENT, "sent without a durable record"
            assert open_rows[0].amount == transfer.amount, "another amount than the journal's"
        assert self.separate_wallets, "there is nowhere to transfer to"
        self.sent["transfer"] += 1
        fault = self._fault("transfer")
        _raise_before(fault)
        if fault == "shrink":
            raise Insufficient("balance is not enough", "-5013")
        sweep = transfer.direction is Direction.SWEEP
        if transfer.amount > (self.withdrawable() if sweep else self.spot.get("USDT", ZERO)):
            raise Insufficient("balance is not enough", "-5013")
        self.wallet += -transfer.amount if sweep else transfer.amount
        self.spot["USDT"] = self.spot.get("USDT", ZERO) + (transfer.amount if sweep else -transfer.amount)
        self.applied[intent] += 1
        exchange_id = f"t{len(self.history) + 1}"
        self.history.append(
            TransferRecord(
                exchange_id,
                transfer.direction,
                "USDT",
                transfer.amount,
                self.now(),
                Evidence.APPLIED,
                self.transfer_key(transfer.client_key),
            )
        )
        _raise_after(fault)
        return exchange_id

    def transfers(self, direction: Direction, asset: str, since: float) -> Sequence[TransferRecord]:
        self._read()
        return [
            r for r in self.history if r.direction is direction and r.at >= since and r.at + self.lag_s <= self.now()
        ]

    def wallet_flows(self, asset: str, since: float) -> D:
        self._read()
        return sum((amount for at, amount in self.flows if at >= since), ZERO)

    def refuse_reasons(self) -> Sequence[str]:
        return ()

    def entries(self, pair: str, since: float) -> Sequence[ShortEntry]:
        self._read()
        return [entry for entry in self.short_entries.get(pair, []) if entry.at >= since]

    def close_short(self, pair: str, quantity: D, client_id: str) -> D:
        if self.journal is not None:
            open_rows = self.journal.open_closes()
            assert [r.intent_id for r in open_rows] == [client_id], "sent while another close was unknown"
            assert open_rows[0].state is State.SENT, "sent without a durable record"
        self.sent["close"] += 1
        fault = self._fault("close")
        _raise_before(fault)
        filled = min(quantity, self.shorts.get(pair, (ZERO, ZERO, ZERO))[0])
        if not filled:
            raise Rejected("ReduceOnly Order is rejected.", "-2022")
        self.close_short_by(filled)
        self.applied[client_id] += 1
        self.closes[client_id] = filled
        _raise_after(fault)
        return filled

    def find_close(self, pair: str, client_id: str) -> tuple[Evidence, D]:
        self._read()
        filled = self.closes.get(client_id)
        return (Evidence.APPLIED, filled) if filled is not None else (Evidence.NOT_SEEN, ZERO)

    def change_margin(self, pair: str, kind: MarginKind, amount: D) -> None:
        intent = ""
        if self.journal is not None:
            open_rows = [row for row in self.journal.open_margins() if row.pair == pair]
            assert [row.state for row in open_rows] == [State.SENT], "sent without a durable record, or while unknown"
            assert (open_rows[0].amount, open_rows[0].kind) == (amount, kind), "another amount than the journal's"
            intent = open_rows[0].intent_id
        self.sent["margin"] += 1
        fault = self._fault("margin")
        _raise_before(fault)
        quantity, entry, margin = self.shorts.get(pair, (ZERO, ZERO, ZERO))
        if not quantity:
            raise Rejected("Cannot add position margin: position is 0.", "-4054")
        spare = min(margin, margin + quantity * (entry - self.price) - quantity * self.price / 3)
        if fault == "shrink" or amount > (self.withdrawable() if kind is MarginKind.ADD else spare):
            raise Insufficient("balance insufficient", "-4050")
        self.shorts[pair] = quantity, entry, margin + (amount if kind is MarginKind.ADD else -amount)
        self.applied[intent] += 1
        self.margins.append(MarginRecord(kind, amount, self.now()))
        _raise_after(fault)

    def margin_history(self, pair: str, kind: MarginKind, since: float) -> Sequence[MarginRecord]:
        self._read()
        return [r for r in self.margins if r.kind is kind and r.at >= since and r.at + self.lag_s <= self.now()]


def _raise_before(fault: str) -> None:
    if fault == "kill":
        raise Killed
    if fault == "not_sent":
        raise NotSent("no route")
    if fault == "lost":
        raise OutcomeUnknown("timed out; it had not arrived")
    if fault == "reject":
        raise Rejected("Filter failure", "-1013")
    if fault == "denied":
        raise Denied("Invalid API-key, IP, or permissions for action", "-2015")
    if fault == "back_off":
        raise BackOff("too many requests", "-1003", 1.0)


def _raise_after(fault: str) -> None:
    if fault == "kill_after":
        raise Killed
    if fault == "lost_after":
        raise OutcomeUnknown("timed out; it had arrived")
