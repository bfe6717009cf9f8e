"""One way to call ccxt, and its numbers as exact decimals."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from threading import RLock
from typing import Any

import ccxt
import requests

from freqtrade_fundhedge.errors import BackOff, Denied, OutcomeUnknown, VenueError, classify, redact
from freqtrade_fundhedge.venue.port import ZERO, Fill, Quote

NOT_BEFORE = "fundhedge_not_before"
DENIED = "fundhedge_denied"
ALONE = "fundhedge_alone"
FINAL = frozenset({"closed", "canceled", "expired", "rejected"})
"""ccxt's order states from which nothing more comes."""


def call(api: Any, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call ccxt once; one thread at a time on one object, for that keeps the last answer.

    Raises
    ------
    VenueError : what became of the request, see `errors.classify`
    BackOff : also without a request, until the time that the exchange named last
    OutcomeUnknown : the answer was a success without any JSON in it, which ccxt would read as empty lists and balances
    """
    with vars(api).setdefault(ALONE, RLock()):
        return _call(api, method, *args, **kwargs)


def _call(api: Any, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    pause = getattr(api, "options", {}).get(NOT_BEFORE, 0.0) - time.monotonic()
    if pause > 0:
        raise BackOff("the exchange has asked for a pause", retry_after_s=pause)
    api.last_http_response = None
    try:
        result = method(*args, **kwargs)
    except (ccxt.BaseError, requests.RequestException, ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, ccxt.DDoSProtection):
            headers = {str(k).lower(): v for k, v in (getattr(api, "last_response_headers", None) or {}).items()}
            error.retry_after_s = _seconds(headers.get("retry-after"))
        if isinstance(error, ccxt.InvalidNonce):
            # ccxt measures its clock once; the next call signs with a fresh measure.
            api.options["fundhedge_resync"] = True
        outcome = classify(error)
        if isinstance(outcome, Denied):
            api.options[DENIED] = True
        if isinstance(outcome, BackOff):
            # A request before that time would make it longer.
            api.options[NOT_BEFORE] = time.monotonic() + (outcome.retry_after_s or 0.0)
        raise outcome from error
    text = api.last_http_response
    if isinstance(text, str) and not text.lstrip().startswith(("{", "[", '"')):
        raise OutcomeUnknown(f"an answer without content: {redact(text)!r}")
    return result


@contextmanager
def twin(api: Any, spaced: bool = True) -> Iterator[Any]:
    """The same connections, keys and options for one request beside another thread's: ccxt keeps the last answer.

    Parameters
    ----------
    spaced : False does without ccxt's pause between requests, up to 50 ms
    """
    other = copy.copy(api)
    setattr(other, ALONE, RLock())
    other.enableRateLimit = spaced and api.enableRateLimit
    try:
        yield other
    finally:
        other.session = None  # ccxt would close it along with the twin


@contextmanager
def after_send(what: str) -> Iterator[None]:
    """For reads that follow an accepted send: whatever becomes of the read, the send was not refused.

    Raises
    ------
    OutcomeUnknown : instead of any other VenueError
    """
    try:
        yield
    except VenueError as error:
        raise OutcomeUnknown(f"{what} was accepted, its result could not be read: {error}", error.code) from error


def resync_clock(api: Any) -> None:
    """Measure the clock difference again after the exchange refused a time-stamp."""
    if api.options.pop("fundhedge_resync", False):
        call(api, api.load_time_difference)


def _seconds(text: object) -> float | None:
    try:
        return float(str(text)) if text is not None else None
    except ValueError:
        return None


def decimal(value: object) -> Decimal:
    """A ccxt number or text as the shortest decimal that stands for it; None and "" are 0."""
    return Decimal(str(value)) if value not in (None, "") else ZERO


def quote_from_book(symbol: str, book: dict[str, Any], at: float) -> Quote:
    """A ccxt order book as a `Quote`."""
    sides = (tuple((decimal(level[0]), decimal(level[1])) for level in book[side]) for side in ("bids", "asks"))
    bids, asks = sides
    return Quote(symbol, bids, asks, at)


def fees_of(items: list[dict[str, Any]]) -> dict[str, Decimal]:
    """Fees by coin of ccxt trades, or of an order's `fees`."""
    fees: dict[str, Decimal] = {}
    for item in items:
        parts = item.get("fees") or ([item["fee"]] if item.get("fee") else [item] if "currency" in item else [])
        for part in parts:
            if part.get("currency") and part.get("cost") is not None:
                coin = str(part["currency"])
                fees[coin] = fees.get(coin, ZERO) + decimal(part["cost"])
    return fees


def fill_from_order(order: dict[str, Any], trades: list[dict[str, Any]]) -> Fill:
    """A final ccxt order, with its trades where it filled anything.

    Raises
    ------
    OutcomeUnknown : the trades do not add up to the order yet
    """
    filled = decimal(order.get("filled"))
    quantity = sum((decimal(t["amount"]) for t in trades), ZERO)
    if quantity != filled:
        raise OutcomeUnknown(f"order {order.get('id')} filled {filled}, its trades so far add up to {quantity}")
    quote = sum((decimal(t["cost"]) if t.get("cost") is not None else _cost(t) for t in trades), ZERO)
    answer = f"{order.get('status')} {order.get('id')}"
    return Fill(str(order.get("id")), filled, quote, fees_of(trades), answer)


def _cost(trade: dict[str, Any]) -> Decimal:
    return decimal(trade["amount"]) * decimal(trade["price"])


def hours_of(interval: object) -> float | None:
    """'4h' as 4.0."""
    return float(interval[:-1]) if isinstance(interval, str) and interval.endswith("h") else None
