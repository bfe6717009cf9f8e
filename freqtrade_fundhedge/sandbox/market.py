"""Every market of the sandbox: prices, books and statuses, spot and perpetual."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Generic, TypeVar

from freqtrade_fundhedge.sandbox.book import Book, BookShape, make_book
from freqtrade_fundhedge.sandbox.errors import bad_symbol
from freqtrade_fundhedge.sandbox.noise import FloatArray, seed_of, walk
from freqtrade_fundhedge.sandbox.numbers import ONE, nearest_to
from freqtrade_fundhedge.sandbox.paths import PricePath
from freqtrade_fundhedge.sandbox.specs import COINS, CoinSpec, PerpSpec, SpotSpec, made_up

_BASIS_MOVE = 0.00002
Spec = TypeVar("Spec", SpotSpec, PerpSpec)


@dataclass
class Market(Generic[Spec]):
    """One tradable market with its price path, the shape of its book and its status."""

    spec: Spec
    coin: CoinSpec
    path: PricePath
    shape: BookShape
    status: str = "TRADING"
    taker_fraction: list[Decimal] = field(default_factory=list)
    maker_fraction: list[Decimal] = field(default_factory=list)
    delisted_at: int | None = None
    control_side: str = "NONE"

    @property
    def symbol(self) -> str:
        """The exchange's name of the market."""
        return self.spec.symbol

    def mid(self, now: int) -> Decimal:
        """Read the middle of the book."""
        return self.path.price(now)

    def book(self, now: int) -> Book:
        """Build the book as it stands."""
        return make_book(self.mid(now), self.spec.tick, self.spec.step, self.shape)

    def last(self, now: int) -> Decimal:
        """Read the last traded price: the mid, on the price grid."""
        return max(self.spec.tick, nearest_to(self.mid(now), self.spec.tick))


SpotMarket = Market[SpotSpec]
PerpMarket = Market[PerpSpec]


def _noise(seed: int, own: int, scale: float, own_scale: float, minutes: FloatArray) -> FloatArray:
    return scale * walk(seed, minutes) + own_scale * walk(own, minutes)


class Markets:
    """All markets, by symbol, and what coins are worth."""

    def __init__(
        self,
        now_ms: Callable[[], int],
        *,
        seed: int,
        alive: bool = False,
        only: frozenset[str] | None = None,
        more: int = 0,
    ) -> None:
        self.now_ms = now_ms
        self.born = now_ms()
        self.spot: dict[str, SpotMarket] = {}
        self.perp: dict[str, PerpMarket] = {}
        self.index: dict[str, PricePath] = {}
        for coin in COINS:
            if only is None or coin.coin in only:
                self._add(coin, seed, alive)
        for coin in made_up(more):
            self._add(coin, seed, alive)

    def _add(self, coin: CoinSpec, seed: int, alive: bool) -> None:
        scale = coin.hourly_move / 60**0.5
        common, own = seed_of(seed, coin.coin), seed_of(seed, coin.coin, "basis")
        index = PricePath(self.born, coin.price, partial(_noise, common, own, scale, 0.0), alive)
        self.index[coin.perp.symbol] = index
        if coin.spot is not None:
            self.spot[coin.spot.symbol] = Market(coin.spot, coin, index, BookShape(coin.depth))
        price = coin.price * coin.multiplier
        path = PricePath(self.born, price, partial(_noise, common, own, scale, _BASIS_MOVE), alive)
        self.perp[coin.perp.symbol] = Market(coin.perp, coin, path, BookShape(coin.depth * 2))

    def spot_market(self, symbol: str) -> SpotMarket:
        """Find a spot market or refuse as Binance does."""
        if symbol not in self.spot:
            raise bad_symbol()
        return self.spot[symbol]

    def perp_market(self, symbol: str) -> PerpMarket:
        """Find a perpetual or refuse as Binance does."""
        if symbol not in self.perp:
            raise bad_symbol()
        return self.perp[symbol]

    def index_price(self, symbol: str) -> Decimal:
        """Read the spot price in units of the perpetual."""
        return self.index[symbol].price(self.now_ms()) * self.perp[symbol].coin.multiplier

    def mark_price(self, symbol: str) -> Decimal:
        """Read the mark price: the middle of the perpetual's book, which is where Binance's formula settles."""
        return self.perp[symbol].mid(self.now_ms())

    def worth(self, asset: str) -> Decimal:
        """Value one unit of a coin in USDT; zero for what nothing here prices."""
        if asset == "USDT":
            return ONE
        market = self.spot.get(asset + "USDT")
        return Decimal(0) if market is None else market.mid(self.now_ms())

    @contextmanager
    def still(self) -> Iterator[None]:
        """Let time stand, so that what is read together belongs together, also while a price moves."""
        clock, now = self.now_ms, self.now_ms()
        self.now_ms = lambda: now
        try:
            yield
        finally:
            self.now_ms = clock

    def assets(self) -> list[str]:
        """List every coin that the spot wallet can hold."""
        return ["USDT", *(market.spec.base for market in self.spot.values())]
