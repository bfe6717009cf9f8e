"""What can be set about the account and its keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

DEFAULT_KEY = "sandbox-key"
DEFAULT_SECRET = "sandbox-secret"


@dataclass
class Fees:
    """Fee rates; ``pay_with_bnb`` takes spot fees from BNB at three quarters while there is some."""

    spot_maker: Decimal = Decimal("0.001")
    spot_taker: Decimal = Decimal("0.001")
    futures_maker: Decimal = Decimal("0.0002")
    futures_taker: Decimal = Decimal("0.0005")
    pay_with_bnb: bool = False


@dataclass
class Permissions:
    """What a key may do, named as Binance names it."""

    enableReading: bool = True
    enableFutures: bool = True
    enableSpotAndMarginTrading: bool = True
    permitsUniversalTransfer: bool = True
    enableWithdrawals: bool = False
    ipRestrict: bool = True
    enablePortfolioMarginTrading: bool = False
    tradingAuthorityExpirationTime: int | None = None


@dataclass
class ApiKey:
    """One API key of the account."""

    key: str
    secret: str
    permissions: Permissions = field(default_factory=Permissions)


@dataclass
class AccountMode:
    """Account-wide switches of USD-M futures."""

    dual_side: bool = False
    multi_assets: bool = False
