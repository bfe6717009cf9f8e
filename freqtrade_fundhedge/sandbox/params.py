"""Request parameters, read strictly: what is malformed is refused as Binance refuses it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import parse_qsl

from freqtrade_fundhedge.sandbox.errors import BinanceError, missing
from freqtrade_fundhedge.sandbox.numbers import ZERO

_NUMBER = re.compile(r"^\d{1,20}(\.\d{1,20})?$")
_SIGNATURE = re.compile(r"(^|&)signature=[^&]*")


class Params:
    """Parameters of one request, query first, then body."""

    def __init__(self, query: str, body: str) -> None:
        self.payload = _SIGNATURE.sub("", query) + _SIGNATURE.sub("", body)
        self.values: dict[str, str] = dict(parse_qsl(query, keep_blank_values=True))
        self.values.update(parse_qsl(body, keep_blank_values=True))

    def shown(self) -> Mapping[str, str]:
        """Return what may be logged: everything but the signature."""
        return {name: value for name, value in self.values.items() if name != "signature"}

    def text(self, name: str, default: str | None = None) -> str:
        """Read text; mandatory without a default."""
        value = self.values.get(name, "")
        if value:
            return value
        if default is None:
            raise missing(name)
        return default

    def has(self, name: str) -> bool:
        """Whether a value was sent."""
        return bool(self.values.get(name))

    def decimal(self, name: str, default: Decimal | None = None) -> Decimal:
        """Read a plain decimal number; mandatory without a default."""
        if not self.has(name) and default is not None:
            return default
        value = self.text(name)
        if not _NUMBER.match(value):
            raise BinanceError(
                -1100,
                f"Illegal characters found in parameter '{name}'; legal range is "
                "'^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
            )
        return Decimal(value)

    def amount(self, name: str) -> Decimal:
        """Read an optional number, zero when it was not sent."""
        return self.decimal(name, ZERO)

    def integer(self, name: str) -> int | None:
        """Read an optional whole number."""
        if not self.has(name):
            return None
        value = self.text(name)
        if not value.lstrip("-").isdigit():
            raise BinanceError(-1100, f"Illegal characters found in parameter '{name}'.")
        return int(value)

    def size(self, default: int, most: int, name: str = "limit") -> int:
        """Read how many rows are wanted."""
        value = self.integer(name)
        if value is not None and value < 1:
            raise BinanceError(-1130, f"Data sent for parameter '{name}' is not valid.")
        return min(most, default if value is None else value)

    def flag(self, name: str, default: bool | None = None) -> bool:
        """Read true or false; mandatory without a default."""
        if not self.has(name) and default is not None:
            return default
        value = self.text(name).lower()
        if value not in {"true", "false"}:
            raise missing(name)
        return value == "true"
