"""The whole sandbox exchange as one state machine, without any I/O."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.sandbox.algo import AlgoBook
from freqtrade_fundhedge.sandbox.funding import Funding
from freqtrade_fundhedge.sandbox.futures import FuturesEngine
from freqtrade_fundhedge.sandbox.ledger import FUTURES, OWN, Ledger
from freqtrade_fundhedge.sandbox.liquidation import Enforcer
from freqtrade_fundhedge.sandbox.listen_keys import ListenKeys
from freqtrade_fundhedge.sandbox.market import Markets
from freqtrade_fundhedge.sandbox.orders import Ids
from freqtrade_fundhedge.sandbox.settings import DEFAULT_KEY, DEFAULT_SECRET, AccountMode, ApiKey, Fees
from freqtrade_fundhedge.sandbox.spot import SpotEngine
from freqtrade_fundhedge.sandbox.transfers import Transfers


def real_now_ms() -> int:
    """Read the real clock in milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Options:
    """How a sandbox starts.

    ``alive``: prices move on their own instead of standing still; ``coins``: only these are listed;
    ``more_coins``: so many made-up ones besides.
    """

    spot_usdt: Decimal = Decimal(10_000)
    futures_usdt: Decimal = Decimal(0)
    seed: int = 1
    alive: bool = False
    key: str = DEFAULT_KEY
    secret: str = DEFAULT_SECRET
    coins: frozenset[str] | None = None
    more_coins: int = 0


class Exchange:
    """One exchange with one account."""

    def __init__(self, options: Options | None = None, now_ms: Callable[[], int] = real_now_ms) -> None:
        self.options = options or Options()
        self.now_ms = now_ms
        self.clock_offset_ms = 0
        self.ledger = Ledger()
        self.ids = Ids()
        self.fees = Fees()
        self.mode = AccountMode()
        key = ApiKey(self.options.key, self.options.secret)
        self.keys = {key.key: key}
        self.calling = key
        self.listen_keys = ListenKeys()
        chosen = self.options
        self.markets = Markets(now_ms, seed=chosen.seed, alive=chosen.alive, only=chosen.coins, more=chosen.more_coins)
        self.spot = SpotEngine(self.markets, self.ledger, self.ids, self.fees)
        self.futures = FuturesEngine(self.markets, self.ledger, self.ids, self.fees, self.mode)
        self.algo = AlgoBook(self.futures)
        self.enforcer = Enforcer(self.futures)
        self.funding = Funding(self.markets, self.futures.account, self.futures.income, seed=self.options.seed)
        self.transfers = Transfers(self.ledger, self.spot, self.futures.account, self.futures.income, self.ids)
        self.deposits: list[tuple[str, str, Decimal, Decimal]] = []
        self.deposit("spot", "USDT", self.options.spot_usdt)
        self.deposit("futures", "USDT", self.options.futures_usdt)

    def caller(self) -> ApiKey:
        """Return the key of the request that is being answered."""
        return self.calling

    def server_time(self) -> int:
        """Read the exchange's own clock, which may be off."""
        return self.now_ms() + self.clock_offset_ms

    def deposit(self, wallet: str, asset: str, amount: Decimal) -> None:
        """Bring coins in from outside, or take them out with a negative amount.

        Raises
        ------
        ValueError : no such wallet or coin, or not that much to take
        """
        if wallet not in OWN or asset not in self.markets.assets() or (wallet == FUTURES and asset != "USDT"):
            raise ValueError(f"no {asset} in a {wallet} wallet here")
        if not amount:
            return
        if amount < 0 and -amount > self.transfers.movable(wallet, asset):
            raise ValueError(f"cannot take {-amount} {asset} out of {wallet}")
        now = self.now_ms()
        self.ledger.post(now, wallet, asset, amount, "DEPOSIT", "outside")
        self.futures.account.updated = now
        self.deposits.append((wallet, asset, amount, self.markets.worth(asset)))

    def advance(self) -> None:
        """Let everything happen that time and prices have brought about."""
        now = self.now_ms()
        self.funding.due(now)
        self.spot.match(now)
        self.futures.match(now)
        self.algo.match(now)
        self.enforcer.watch(now)
