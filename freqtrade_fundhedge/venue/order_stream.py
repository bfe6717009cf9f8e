"""Futures orders as the exchange tells of them, through ccxt.pro.

Source: Binance API documentation, "User Data Streams" of USD-M futures.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ccxt
import ccxt.pro

from freqtrade_fundhedge.venue.ccxt_call import decimal
from freqtrade_fundhedge.venue.port import ZERO, OrderFill

# Binance ends a listen key after an hour, and the connection after a day.
RENEW_EVERY_S = 1200.0
SETTLED_AFTER_S = 5.0
# ccxt renews a key once and then never again, so it is not to do that at all.
NEVER_MS = 10 * 365 * 86_400_000
OPTIONS = {"listenKeyRefreshRate": NEVER_MS, "watchPositions": {"fetchPositionsSnapshot": False}}
EXCHANGES = ("binance",)
LARGEST = Decimal(10) ** 15

logger = logging.getLogger("freqtrade_fundhedge")


def socket_class(exchange: str) -> Any | None:
    """The ccxt.pro class of an exchange that can tell of orders and is known here, else None."""
    kind = getattr(ccxt.pro, exchange, None) if exchange in EXCHANGES else None
    return kind if kind is not None and kind().has.get("watchOrders") else None


async def listen(make: Callable[[], Any], told: Callable[[OrderFill], None], settled: Callable[[], None]) -> None:
    """Hold one connection and pass on what comes, until it fails.

    Parameters
    ----------
    make : a fresh ccxt.pro instance with keys and markets
    told : each order, whenever anything about it has changed
    settled : called once it has held for a few seconds

    Raises
    ------
    whatever ccxt raises; ccxt.NetworkError when the listen key has expired
    """
    api = make()
    _overhear(api, told)
    waiting: asyncio.Future[Any] | None = None
    try:
        renewed, held = time.monotonic(), False
        opened: float | None = None
        while True:
            waiting = waiting or asyncio.ensure_future(api.watch_orders())
            limit = renewed + RENEW_EVERY_S if held else (opened or time.monotonic()) + SETTLED_AFTER_S
            await asyncio.wait({waiting}, timeout=max(0.0, limit - time.monotonic()))
            if waiting.done():
                waiting.result()
                waiting = None
            elif held:
                await api.fapiPrivatePutListenKey()
                renewed = time.monotonic()
            if not held:
                opened = (opened or time.monotonic()) if _is_open(api) else None
                held = opened is not None and time.monotonic() - opened >= SETTLED_AFTER_S
                if held:
                    settled()
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await api.close()


def _is_open(api: Any) -> bool:
    """Whether there is a connection; before that ccxt waits for as long as the exchange takes to give or refuse one."""
    return any(client.isConnected for client in api.clients.values())


def fill_of(order: dict[str, Any]) -> OrderFill:
    """A ccxt order as it comes from a stream.

    Raises
    ------
    ValueError : it says what no order can be
    """
    quantity, filled = _amount(order.get("amount")), _amount(order.get("filled"))
    if not order.get("id") or not order.get("symbol") or order.get("side") not in ("buy", "sell"):
        raise ValueError("an order without id, symbol or side")
    if filled > quantity or not quantity:
        raise ValueError("an order of nothing, or more filled than ordered")
    return OrderFill(
        order_id=str(order["id"]),
        client_id=str(order.get("clientOrderId") or ""),
        pair=str(order["symbol"]),
        sells=order.get("side") == "sell",
        reduce_only=bool(order.get("reduceOnly")),
        quantity=quantity,
        filled=filled,
        price=_amount(order.get("average") or order.get("price")),
        at=float(_amount(order.get("lastUpdateTimestamp") or order.get("timestamp"))) / 1000,
    )


def _amount(value: object) -> Decimal:
    """Finite, not negative, and of a size that can be reckoned with."""
    number = float(str(value)) if value not in (None, "") else 0.0
    if not (math.isfinite(number) and 0 <= number <= LARGEST):
        raise ValueError("not an amount")
    return decimal(value) if number else ZERO


def _overhear(api: Any, told: Callable[[OrderFill], None]) -> None:
    """Take each message as it comes.

    `watch_orders` would give the last of two that come close together only with the next one, and ccxt takes no notice
    of a key that expires: the stream would stay open and tell nothing. So it would after any exception that leaves this
    handler, for ccxt reads on only when it returns; what can't be read is passed over, and left to the loop.
    """
    handle = api.handle_message
    said = False

    def handled(client: Any, message: Any) -> None:
        nonlocal said
        event = message.get("e") if isinstance(message, dict) else None
        if event == "ACCOUNT_UPDATE":
            return  # comes just before the order's own, and nobody here asks for it
        try:
            if event == "ORDER_TRADE_UPDATE":
                told(fill_of(api.parse_ws_order(message["o"])))  # nobody waits for what ccxt would make of it
            else:
                handle(client, message)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next message may be a good one
            if not said:
                said = True
                logger.warning("the fill stream told something that can't be read (%s); the loop does without it",
                               type(error).__name__)  # fmt: skip
        if event == "listenKeyExpired":
            client.reject(ccxt.NetworkError("the listen key has expired"))

    api.handle_message = handled
