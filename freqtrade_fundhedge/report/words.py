"""Numbers and names as people read them, in terminals and on pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from math import isfinite


def shown(value: object, kind: str, currency: str = "") -> str:
    """A figure as text; "-" if it is not defined.

    Parameters
    ----------
    kind : money, cost (shown as a loss), count, fraction, number, days (of hours), seconds,
        quantity, price, exact (four digits)
    """
    if not isinstance(value, int | float) or not isfinite(value):
        return "-"
    text = _text(0.0 - value if kind == "cost" else value, kind)
    if not any(digit in text for digit in "123456789"):
        text = text.removeprefix("-")  # what rounds to nothing is no loss
    return f"{text} {currency}".rstrip() if kind in {"money", "cost"} else text


def _text(value: float, kind: str) -> str:
    if kind in {"money", "cost"}:
        return f"{value:,.2f}"
    return {
        "count": f"{value:,.0f}", "fraction": f"{value:.2%}", "number": f"{value:.2f}", "days": f"{value / 24:.1f}",
        "seconds": f"{value:,.1f} s", "quantity": f"{value:,.8g}", "price": f"{value:,.6g}", "exact": f"{value:,.4f}",
    }[kind]  # fmt: skip


def short_amount(value: object, cost: bool = False) -> str:
    """An amount in at most seven characters, below a hundred thousand million; "-" if it is not known."""
    if not isinstance(value, int | float):
        return "-"
    amount = 0.0 - value if cost else value
    if abs(amount) < 99.995:
        return f"{amount:,.2f}"
    if abs(amount) < 99_999.5:
        return f"{amount:,.0f}"
    return f"{amount / 1e3:,.0f}k" if abs(amount) < 9_999_500 else f"{amount / 1e6:,.0f}M"


def short_pair(pair: str) -> str:
    """`BTC/USDT:USDT` without the settlement currency, which is the same for all."""
    return pair.partition(":")[0]


def held_days(row: Mapping[str, object]) -> str:
    """Days between opening and closing of a record of a trade."""
    begun, ended = (dt.datetime.fromisoformat(str(row[name])) for name in ("opened", "closed"))
    return f"{(ended - begun).total_seconds() / 86_400:.1f}"
