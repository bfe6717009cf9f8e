"""What the sandbox says when it refuses: Binance's own codes and messages."""

from __future__ import annotations


class BinanceError(Exception):
    """A refusal in Binance's shape: ``{"code": ..., "msg": ...}`` with an HTTP status."""

    def __init__(self, code: int, msg: str, status: int = 400) -> None:
        super().__init__(f"{code} {msg}")
        self.code = code
        self.msg = msg
        self.status = status


def missing(name: str) -> BinanceError:
    """Say that a mandatory parameter is missing or malformed."""
    return BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def bad_symbol() -> BinanceError:
    """Say that the symbol does not exist."""
    return BinanceError(-1121, "Invalid symbol.")


def filter_failure(name: str) -> BinanceError:
    """Say which spot filter an order fails."""
    return BinanceError(-1013, f"Filter failure: {name}")


def not_permitted() -> BinanceError:
    """Say that the key may not do this."""
    return BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def unknown_order() -> BinanceError:
    """Say that there is no such open order to cancel."""
    return BinanceError(-2011, "Unknown order sent.")


def no_such_order() -> BinanceError:
    """Say that there is no such order to show."""
    return BinanceError(-2013, "Order does not exist.")
