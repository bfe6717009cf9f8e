"""Each kind of account at each exchange: its markets, its answers and what they add up to.

8,000 of the stake currency in all: 6,000 free in one pool, or 3,700 in the futures wallet, 2,000 of it free.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal as D
from typing import Any

from recorded.bitget import BITGET_CLASSIC, BITGET_UNIFIED
from recorded.bybit import BYBIT_CLASSIC, BYBIT_UNIFIED
from recorded.common import LOSS, MAINTENANCE, SHORT
from recorded.gate import GATE_CLASSIC, GATE_UNIFIED
from recorded.hyperliquid import HYPERLIQUID
from recorded.kucoin import KUCOIN
from recorded.okx import OKX


@dataclass(frozen=True)
class Kind:
    """One kind of account at one exchange."""

    exchange: str
    unified: bool
    spot_id: str
    swap_id: str
    contract_size: float
    answers: dict[str, Any]
    stake: str = "USDT"
    wallet: D = D(8000)
    free: D = D(6000)
    withdrawable: D = D(6000)
    unrealised: D = D(LOSS)
    maintenance: D = D(MAINTENANCE)
    interval_h: float = 4.0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For the test's id."""
        return f"{self.exchange} {'unified' if self.unified else 'classic'}"

    @property
    def pair(self) -> str:
        """The perpetual in ccxt's spelling."""
        return f"BTC/{self.stake}:{self.stake}"

    @property
    def symbol(self) -> str:
        """The spot market in ccxt's spelling."""
        return f"BTC/{self.stake}"

    def markets(self) -> list[dict[str, Any]]:
        """ccxt's structures, as far as a request needs them."""
        common = {"base": "BTC", "baseId": "BTC", "quote": self.stake, "quoteId": self.stake, "active": True}
        limits = {"amount": {"min": 0.00001}, "cost": {"min": 5.0}}
        precision = {"amount": 0.00001, "price": 0.01}
        spot = {
            **common, "id": self.spot_id, "symbol": self.symbol, "type": "spot", "spot": True, "swap": False,
            "future": False, "option": False, "contract": False, "taker": 0.001, "limits": limits,
            "precision": precision, "info": {}, **self.extra.get("spot", {}),
        }  # fmt: skip
        swap = {
            **common, "id": self.swap_id, "symbol": self.pair, "type": "swap", "spot": False, "swap": True,
            "future": False, "option": False, "contract": True, "linear": True, "inverse": False,
            "subType": "linear", "settle": self.stake, "settleId": self.extra.get("settle_id", self.stake),
            "contractSize": self.contract_size, "taker": 0.0006, "limits": limits,
            "precision": {"amount": 0.001 if self.contract_size == 1 else 1.0, "price": 0.1},
            "info": {"fundingInterval": 240},
            **self.extra.get("swap", {}),
        }  # fmt: skip
        return [spot, swap]

    @property
    def contracts(self) -> str:
        """The short as the exchange counts it."""
        return f"{D(SHORT) / D(str(self.contract_size)):f}"


CLASSIC_FIGURES = {"wallet": D(3700), "free": D(2000)}
KINDS = [
    Kind("bybit", True, "BTCUSDT", "BTCUSDT", 1.0, BYBIT_UNIFIED),
    Kind("bybit", False, "BTCUSDT", "BTCUSDT", 1.0, BYBIT_CLASSIC, **CLASSIC_FIGURES, withdrawable=D(2000)),
    Kind("okx", True, "BTC-USDT", "BTC-USDT-SWAP", 0.01, OKX),
    Kind("bitget", True, "BTCUSDT", "BTCUSDT", 1.0, BITGET_UNIFIED),
    Kind("bitget", False, "BTCUSDT", "BTCUSDT", 1.0, BITGET_CLASSIC, **CLASSIC_FIGURES, withdrawable=D(1950)),
    Kind("gate", True, "BTC_USDT", "BTC_USDT", 0.0001, GATE_UNIFIED, extra={"settle_id": "usdt"}),
    Kind("gate", False, "BTC_USDT", "BTC_USDT", 0.0001, GATE_CLASSIC, **CLASSIC_FIGURES, withdrawable=D(1950),
         extra={"settle_id": "usdt"}),
    Kind("kucoin", False, "BTC-USDT", "XBTUSDTM", 0.001, KUCOIN, **CLASSIC_FIGURES, withdrawable=D(1900)),
    Kind("hyperliquid", True, "@142", "BTC", 1.0, HYPERLIQUID, stake="USDC", maintenance=D(50), interval_h=1.0,
         extra={"spot": {"baseId": "10142", "info": {}}, "swap": {"baseId": "0", "baseName": "BTC"}}),
]  # fmt: skip
CLASSIC = [kind for kind in KINDS if not kind.unified]
UNIFIED = [kind for kind in KINDS if kind.unified]
