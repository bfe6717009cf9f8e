"""What can go wrong, and what became of a request that went wrong.

    FundHedgeError
    |-- ConfigError              the user's configuration; one line, names the key and the remedy
    |-- StartRefused             account, key or market unfit for hedging; one line with the remedy
    |-- JournalError             the journal can't be read or written: nothing is sent without it
    |   `-- IllegalTransition    a move that the state table does not know
    `-- VenueError               an exchange call did not end in a plain success
        |-- NotSent              the request never left this machine
        |-- Rejected             the exchange answered no; nothing took effect
        |   |-- Insufficient     ... because there is less than was asked for
        |   |-- Denied           ... because of the key or its permissions
        |   |-- BackOff          ... because of a rate limit or ban; retry_after_s says how long
        |   `-- NoSuchOrder      ... the order asked about is not known (a lookup only)
        `-- OutcomeUnknown       anything else: it may have taken effect

The exchange's own code decides first, ccxt's class second, and unknown is the default: ccxt's classes change with
the host name of the URL and with what the instance did before (a missing permission is a rate limit to it once a
private call has succeeded).
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import ccxt


class FundHedgeError(Exception):
    """Base of everything this package raises on purpose."""


class ConfigError(FundHedgeError, ValueError):
    """The configuration is wrong; the message names the key and what would be right."""


class StartRefused(FundHedgeError, ValueError):
    """The bot must not start with this account, key or market; the message gives the remedy."""


class JournalError(FundHedgeError):
    """The journal can't be read or written, so nothing may be sent."""


class IllegalTransition(JournalError):
    """An intent was asked to make a move that its state does not allow."""


class VenueError(FundHedgeError):
    """An exchange call that did not succeed.

    Attributes
    ----------
    code : the exchange's own error code as text, "" when there was none
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class NotSent(VenueError):
    """The request did not leave this machine: it may be tried again."""


class Rejected(VenueError):
    """The exchange refused; nothing took effect."""


class Insufficient(Rejected):
    """Refused because there is less than was asked for: read again, ask for less."""


class Denied(Rejected):
    """Refused because of the API key, its permissions or its IP binding: a person must act."""


class BackOff(Rejected):
    """Refused by a rate limit or ban; `retry_after_s` is None when the exchange did not say."""

    def __init__(self, message: str, code: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, code)
        self.retry_after_s = retry_after_s


class NoSuchOrder(Rejected):
    """The exchange does not know the order that was looked up (yet, or any more)."""


class OutcomeUnknown(VenueError):
    """No positive evidence either way: the request may have taken effect."""


EVERYWHERE: Final = (Denied, BackOff)
"""Refusals that say nothing about the market or the order that was asked about: the next one would meet the same."""


# Binance's codes, spot, SAPI and USD-M futures. Source: Binance API documentation, "Error codes".
CODES: Final[dict[str, type[VenueError]]] = {
    **dict.fromkeys(("-5013", "-5002", "-5003", "-3041", "-4024", "-4025", "-4026", "-2018", "-2019",
                    "-4050", "-4051"), Insufficient),
    **dict.fromkeys(("-1002", "-1022", "-2014", "-2008", "-2015"), Denied),
    **dict.fromkeys(("-1003", "-1015", "-1034"), BackOff),
    **dict.fromkeys(("-2013",), NoSuchOrder),
    **dict.fromkeys(
        ("-1021", "-1013", "-1100", "-1101", "-1102", "-1103", "-1104", "-1105", "-1106", "-1111", "-1112",
         "-1114", "-1115", "-1116", "-1117", "-1121", "-1130", "-2010", "-2011", "-2021", "-2022", "-2025",
         "-3020", "-4003", "-4004", "-4005", "-4049", "-4053", "-4054", "-4055", "-4131", "-4164", "-5001", "-5007",
         "-5021", "-5022"),
        Rejected,
    ),
    **dict.fromkeys(
        ("-1000", "-1001", "-1004", "-1006", "-1007", "-1008", "-1016", "-5010", "-5012", "-4116"), OutcomeUnknown
    ),
}  # fmt: skip

# Codes of the other exchanges that ccxt takes for refusals and that are none: the order or transfer is there already,
# or the exchange gave up waiting for itself. Source: the codes and their texts in ccxt's tables of exceptions, and
# Bybit's, OKX's and Bitget's documentation, "Error codes".
UNSETTLED: Final[dict[str, frozenset[str]]] = {
    "bybit": frozenset({"10014", "12141", "110030", "110072", "131214", "140030", "170035", "170141", "170146"}),
    "okx": frozenset({"51011", "51016"}),
    "bitget": frozenset({"25212", "40010", "40786", "43118"}),
    "gate": frozenset({"REPEATED_CREATION"}),
    "kucoin": frozenset({"126033", "126044", "408000"}),
}

# ccxt's classes, for exchanges whose codes are not listed above. Looked up along the class's bases, nearest first.
CLASSES: Final[dict[str, type[VenueError]]] = {
    "InsufficientFunds": Insufficient,
    "AuthenticationError": Denied,
    "PermissionDenied": Denied,
    "AccountNotEnabled": Denied,
    "AccountSuspended": Denied,
    "RestrictedLocation": Denied,
    "DDoSProtection": BackOff,
    "RateLimitExceeded": BackOff,
    "OrderNotFound": NoSuchOrder,
    "InvalidNonce": Rejected,
    "ArgumentsRequired": NotSent,
    "NotSupported": NotSent,
    "BadRequest": Rejected,
    "BadSymbol": Rejected,
    "InvalidAddress": Rejected,
    "AddressPending": Rejected,
    "InvalidOrder": Rejected,
    "OrderNotCached": Rejected,
    "OrderImmediatelyFillable": Rejected,
    "OrderNotFillable": Rejected,
    "DuplicateOrderId": OutcomeUnknown,
    "ContractUnavailable": Rejected,
    "NoChange": Rejected,
    "MarginModeAlreadySet": Rejected,
    "MarketClosed": Rejected,
    "InvalidProxySettings": NotSent,
    "BaseError": OutcomeUnknown,
    "ExchangeError": OutcomeUnknown,
    "OperationRejected": OutcomeUnknown,
    "ManualInteractionNeeded": OutcomeUnknown,
    "OperationFailed": OutcomeUnknown,
    "NetworkError": OutcomeUnknown,
    "ChecksumError": OutcomeUnknown,
    "UnsubscribeError": OutcomeUnknown,
    "ExchangeNotAvailable": OutcomeUnknown,
    "OnMaintenance": OutcomeUnknown,
    "ExchangeClosedByUser": OutcomeUnknown,
    "RequestTimeout": OutcomeUnknown,
    "BadResponse": OutcomeUnknown,
    "NullResponse": OutcomeUnknown,
    "CancelPending": OutcomeUnknown,
}

_INSUFFICIENT_TEXT = re.compile(r"insufficient|not enough|exceed.*(balance|withdraw)", re.IGNORECASE)
_DUPLICATE_TEXT = re.compile(r"duplicate.{0,12}order|ClientOrderId is duplicated", re.IGNORECASE)
_SECRETS = re.compile(
    r"(signature|(?:api|listen|secret)_?key|secret|passphrase|password|token)(['\"]?\s*[=:]\s*['\"]?)[^&\s'\"]+",
    re.IGNORECASE,
)
_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/\s@]+(?=@)")


def exchange_code(text: str) -> str:
    """The exchange's own code in a ccxt message such as 'binance {"code":-5013,"msg":"..."}', or ""."""
    start = text.find("{")
    if start < 0:
        return ""
    try:
        body = json.loads(text[start:])
    except ValueError:
        match = re.search(r'"(?:code|retCode)"\s*:\s*"?(-?\d+)', text)
        return match.group(1) if match else ""
    return _code_of(body) if isinstance(body, dict) else ""


def _code_of(body: dict[str, Any]) -> str:
    """Bybit says `retCode`, Gate `label`; OKX has the code of an order inside, beside one that says only "failed"."""
    items = body.get("data")
    inner = items[0].get("sCode") if isinstance(items, list) and items and isinstance(items[0], dict) else None
    for found in (inner, body.get("code"), body.get("retCode"), body.get("label")):
        if found not in (None, ""):
            return str(found)
    return ""


def redact(text: str) -> str:
    """The text without signatures, keys and secrets, and of a length fit for a log line and a journal row."""
    return _CREDENTIALS_IN_URL.sub("***", _SECRETS.sub(r"\1\2***", text))[:500]


def in_words(text: str) -> str:
    """The exchange's own sentence and code in an error's text where there are any, else its beginning."""
    told = re.search(r'"code"\s*:\s*"?(-?\d+)"?\s*,\s*"msg"\s*:\s*"([^"]*)"', text)
    return f"{told[2]} ({told[1]})" if told else " ".join(text.partition("<")[0].split())[:300]


def classify(error: BaseException) -> VenueError:
    """What became of the request that raised `error`.

    Parameters
    ----------
    error : whatever ccxt raised, or an error of this package (returned as it is)

    Returns
    -------
    an instance, not raised, of the class that the exchange's code, else ccxt's class, else caution calls for
    """
    if isinstance(error, VenueError):
        return error
    if _never_connected(error):
        return NotSent(redact(f"{type(error).__name__}: {error}"))
    text = redact(f"{type(error).__name__}: {error}")
    code = exchange_code(str(error))
    kind = CODES.get(code) or _http_kind(str(error)) or _class_kind(error)
    if _DUPLICATE_TEXT.search(text) or code in UNSETTLED.get(str(error).partition(" ")[0], ()):
        # An order under our id is open already: an earlier attempt lives, so look it up instead of believing a refusal.
        return OutcomeUnknown(text, code)
    told = kind is Rejected or (kind is OutcomeUnknown and code not in CODES)
    if told and code and _INSUFFICIENT_TEXT.search(text):
        # The exchange did answer with a code of its own; only its number was new to us, or as broad as -2010.
        kind = Insufficient
    if kind is NotSent and code:
        kind = Rejected  # a code of the exchange's own is an answer
    if kind is BackOff:
        return BackOff(text, code, _retry_after(error))
    return kind(text, code)


def _http_kind(text: str) -> type[VenueError] | None:
    """ccxt starts a bare HTTP failure with '<id> <status> <reason>'; 429 and 418 are refusals by definition."""
    match = re.match(r"^\w+ (?:(?:GET|POST|PUT|DELETE) \S+ )?(\d{3}) ", text)
    return BackOff if match and match.group(1) in ("429", "418") else None


def _class_kind(error: BaseException) -> type[VenueError]:
    for base in type(error).__mro__:
        if base.__name__ in CLASSES and issubclass(base, ccxt.BaseError):
            return CLASSES[base.__name__]
    return OutcomeUnknown


def _retry_after(error: BaseException) -> float | None:
    value = getattr(error, "retry_after_s", None)
    return float(value) if value is not None else None


def _never_connected(error: BaseException) -> bool:
    """True when the connection was never made: refused, no route, no name. Only then nothing can have been sent."""
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None:
            return False
        names = {type(seen).__name__, type(getattr(seen, "reason", None)).__name__}
        names.update(type(getattr(arg, "reason", arg)).__name__ for arg in seen.args)
        if names & {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ConnectTimeout"}:
            return True
        seen = seen.__cause__
    return False
