"""Exact numbers: every amount is a Decimal, rounded only where Binance rounds."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation

ZERO = Decimal(0)
ONE = Decimal(1)
EIGHT = Decimal("0.00000001")


def to_decimal(value: object) -> Decimal:
    """Read a finite Decimal from text or a JSON number.

    Raises
    ------
    ValueError : not a finite number
    """
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"not a number: {value!r}") from error
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value!r}")
    return number


def cut8(value: Decimal) -> Decimal:
    """Cut to eight decimals, towards zero: the smallest unit of a balance."""
    return value.quantize(EIGHT, rounding=ROUND_DOWN)


def round8(value: Decimal) -> Decimal:
    """Round to eight decimals, half to even."""
    return value.quantize(EIGHT, rounding=ROUND_HALF_EVEN)


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Round down to a multiple of ``step``."""
    return (value / step).to_integral_value(rounding=ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Round up to a multiple of ``step``."""
    return (value / step).to_integral_value(rounding=ROUND_CEILING) * step


def nearest_to(value: Decimal, step: Decimal) -> Decimal:
    """Round to the nearest multiple of ``step``."""
    return (value / step).to_integral_value(rounding=ROUND_HALF_EVEN) * step


def on_grid(value: Decimal, step: Decimal) -> bool:
    """Whether ``value`` is a multiple of ``step``."""
    return value % step == ZERO


def places(step: Decimal) -> int:
    """Count the decimals that ``step`` needs."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def fixed(value: Decimal, decimals: int = 8) -> str:
    """Write with a fixed number of decimals, as Binance does."""
    return f"{value:.{decimals}f}"


def plain(value: Decimal) -> str:
    """Write without trailing zeros or exponent."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
