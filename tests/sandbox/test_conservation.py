"""Whatever is done to the exchange, its books balance."""

from __future__ import annotations

import contextlib
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from freqtrade_fundhedge.sandbox.books import audit, equity
from freqtrade_fundhedge.sandbox.errors import BinanceError
from freqtrade_fundhedge.sandbox.exchange import Exchange, Options
from freqtrade_fundhedge.sandbox.futures_rules import FuturesRequest
from freqtrade_fundhedge.sandbox.ledger import SPOT
from freqtrade_fundhedge.sandbox.numbers import floor_to
from freqtrade_fundhedge.sandbox.spot_rules import SpotRequest

PERPS = st.sampled_from(["BTCUSDT", "ETHUSDT", "1000PEPEUSDT", "SUIUSDT"])
SIDES = st.sampled_from(["BUY", "SELL"])
VALUES = st.decimals("1", "8000", places=2)
OFFSETS = st.decimals("-0.03", "0.03", places=4)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_790_000_000_000

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


class Books(RuleBasedStateMachine):
    """Trades, transfers, prices, funding and force in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.made = 0

    @initialize(isolated=st.booleans(), bnb=st.booleans(), leverage=st.integers(1, 20))
    def begin(self, isolated: bool, bnb: bool, leverage: int) -> None:
        self.exchange = Exchange(Options(Decimal(10_000), Decimal(5_000)), self.clock)
        self.exchange.fees.pay_with_bnb = bnb
        self.exchange.deposit(SPOT, "BNB", Decimal(1))
        for symbol in self.exchange.markets.perp:
            position = self.exchange.futures.account.position(symbol)
            position.isolated, position.leverage = isolated, leverage

    def _id(self) -> str:
        self.made += 1
        return f"order{self.made}"

    @rule(
        symbol=PERPS,
        side=SIDES,
        value=VALUES,
        kind=st.sampled_from(["MARKET", "GTC", "IOC", "FOK", "GTX"]),
        offset=OFFSETS,
        reduce=st.booleans(),
    )
    def trade_perpetual(self, symbol, side, value, kind, offset, reduce) -> None:
        spec = self.exchange.markets.perp[symbol].spec
        mark = self.exchange.markets.mark_price(symbol)
        request = FuturesRequest(
            symbol=symbol,
            side=side,
            type="MARKET" if kind == "MARKET" else "LIMIT",
            time_in_force="" if kind == "MARKET" else kind,
            quantity=floor_to(value / mark, spec.step),
            price=floor_to(mark * (1 + offset), spec.tick) if kind != "MARKET" else Decimal(0),
            client_id=self._id(),
            reduce_only=reduce,
        )
        self._try(lambda: self.exchange.futures.place(request))

    @rule(
        symbol=st.sampled_from(["BTCUSDT", "PEPEUSDT", "BNBUSDT"]),
        side=SIDES,
        value=VALUES,
        kind=st.sampled_from(["MARKET", "QUOTE", "GTC", "IOC", "FOK", "LIMIT_MAKER"]),
        offset=OFFSETS,
    )
    def trade_spot(self, symbol, side, value, kind, offset) -> None:
        market = self.exchange.markets.spot[symbol]
        price = floor_to(market.mid(self.clock()) * (1 + offset), market.spec.tick)
        at_market = kind in {"MARKET", "QUOTE"}
        if not price:
            return
        request = SpotRequest(
            symbol=symbol,
            side=side,
            type="MARKET" if at_market else "LIMIT_MAKER" if kind == "LIMIT_MAKER" else "LIMIT",
            time_in_force=kind if kind in {"GTC", "IOC", "FOK"} else "",
            quantity=Decimal(0) if kind == "QUOTE" else floor_to(value / price, market.spec.step),
            quote_quantity=value if kind == "QUOTE" else Decimal(0),
            price=Decimal(0) if at_market else price,
            client_id=self._id(),
        )
        self._try(lambda: self.exchange.spot.place(request))

    @rule(
        kind=st.sampled_from(["MAIN_UMFUTURE", "UMFUTURE_MAIN", "MAIN_FUNDING"]),
        amount=st.decimals("0.00000001", "9000", places=8),
    )
    def transfer(self, kind, amount) -> None:
        self._try(lambda: self.exchange.transfers.send(kind, "USDT", amount))

    @rule(symbol=PERPS, change=st.decimals("-0.2", "0.25", places=3))
    def move_price(self, symbol, change) -> None:
        markets = self.exchange.markets
        market = markets.perp[symbol]
        self.clock.forward(1)
        market.path.set(self.clock(), market.mid(self.clock()) * (1 + change))
        index = markets.index[symbol]
        index.set(self.clock(), index.price(self.clock()) * (1 + change / 2))
        self.exchange.advance()

    @rule(symbol=PERPS, rate=st.decimals("-0.003", "0.003", places=5))
    def settle(self, symbol, rate) -> None:
        self.exchange.funding.settle(symbol, self.clock(), rate=rate, record=True)

    @rule(hours=st.integers(1, 10))
    def wait(self, hours) -> None:
        self.clock.forward(hours * 3600)
        self.exchange.advance()

    @rule(symbol=PERPS, why=st.sampled_from(["ADL", "MANUAL", "LIQUIDATION"]))
    def force(self, symbol, why) -> None:
        position = self.exchange.futures.account.position(symbol)
        if not position.quantity:
            return
        if why == "LIQUIDATION":
            self.exchange.enforcer.liquidate(position, self.clock())
        else:
            self.exchange.enforcer.close(position, position.quantity.copy_abs(), why, self.clock())

    @rule(symbol=PERPS, amount=st.decimals("-100", "100", places=2))
    def adjust_margin(self, symbol, amount) -> None:
        self._try(lambda: self.exchange.futures.account.adjust_margin(symbol, amount))

    @rule()
    def cancel_all(self) -> None:
        for order in self.exchange.spot.store.open():
            self.exchange.spot.cancel(order)
        for order in self.exchange.futures.store.open():
            self.exchange.futures.cancel(order)

    def _try(self, action) -> None:
        with contextlib.suppress(BinanceError):
            action()
        self.exchange.advance()

    @invariant()
    def books_balance(self) -> None:
        if not hasattr(self, "exchange"):
            return
        assert audit(self.exchange) == []
        assert equity(self.exchange)["faults"] == []

    @invariant()
    def nothing_is_overdrawn(self) -> None:
        if not hasattr(self, "exchange"):
            return
        for asset in self.exchange.markets.assets():
            assert self.exchange.spot.free(asset) >= 0
        totals = self.exchange.futures.account.totals()
        assert 0 <= totals.withdrawable <= totals.available
        assert totals.withdrawable <= max(totals.wallet, 0)


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
