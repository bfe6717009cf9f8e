"""User-data events in Binance's shape.

Source: Binance API documentation, "Event: Order Update", "Event: Balance and Position Update", "Event: User Data
Stream Expired" (USD-M futures), "User Data Streams" (spot).
"""

from __future__ import annotations

from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.numbers import ZERO, fixed, plain, round8
from freqtrade_fundhedge.sandbox.orders import Change


def order_trade_update(exchange: Exchange, change: Change) -> dict[str, object]:
    """Write ORDER_TRADE_UPDATE."""
    order, fill = change.order, change.fill
    spec = exchange.markets.perp[order.symbol].spec
    price, quantity = spec.price_places, spec.qty_places
    now = exchange.server_time()
    body: dict[str, object] = {
        "s": order.symbol, "c": order.client_id, "S": order.side, "o": order.type, "f": order.time_in_force,
        "q": fixed(order.quantity, quantity), "p": fixed(order.price, price),
        "ap": fixed(order.average, max(price, 5)), "sp": "0", "x": change.kind, "X": order.status, "i": order.id,
        "l": fixed(fill.quantity if fill else ZERO, quantity), "z": fixed(order.filled, quantity),
        "L": fixed(fill.price if fill else ZERO, price), "n": fixed(fill.commission if fill else ZERO),
        "N": "USDT", "T": order.updated, "t": fill.id if fill else 0, "b": "0", "a": "0",
        "m": fill.maker if fill else False, "R": order.reduce_only, "wt": "CONTRACT_PRICE", "ot": order.type,
        "ps": "BOTH", "cp": False, "rp": fixed(fill.realized if fill else ZERO), "pP": False, "si": 0, "ss": 0,
        "V": "NONE", "pm": "NONE", "gtd": 0,
    }  # fmt: skip
    return {"e": "ORDER_TRADE_UPDATE", "E": now, "T": order.updated, "o": body}


def account_update(exchange: Exchange, change: Change) -> dict[str, object]:
    """Write the ACCOUNT_UPDATE that comes before a trade's order update."""
    account, symbol = exchange.futures.account, change.order.symbol
    spec, position = exchange.markets.perp[symbol].spec, account.position(symbol)
    balance = {"a": "USDT", "wb": fixed(account.wallet()), "cw": fixed(account.cross_wallet()), "bc": "0"}
    held = {
        "s": symbol, "pa": fixed(position.quantity, spec.qty_places), "ep": plain(round8(position.entry)),
        "bep": plain(round8(position.entry)), "cr": "0", "up": fixed(round8(account.pnl(position))),
        "mt": "isolated" if position.isolated else "cross", "iw": fixed(position.wallet), "ps": "BOTH",
    }  # fmt: skip
    now = exchange.server_time()
    return {
        "e": "ACCOUNT_UPDATE", "E": now, "T": change.order.updated,
        "a": {"m": "ORDER", "B": [balance], "P": [held]},
    }  # fmt: skip


def listen_key_expired(exchange: Exchange, key: str) -> dict[str, object]:
    """Write listenKeyExpired, after which nothing more comes under that key."""
    return {"e": "listenKeyExpired", "E": exchange.server_time(), "listenKey": key}


def execution_report(exchange: Exchange, change: Change) -> dict[str, object]:
    """Write executionReport."""
    order, fill = change.order, change.fill
    now = exchange.server_time()
    return {
        "e": "executionReport", "E": now, "s": order.symbol, "c": order.client_id, "S": order.side, "o": order.type,
        "f": order.time_in_force, "q": fixed(order.quantity), "p": fixed(order.price), "P": "0.00000000",
        "F": fixed(order.iceberg), "g": -1, "C": "", "x": change.kind, "X": order.status, "r": "NONE", "i": order.id,
        "l": fixed(fill.quantity if fill else ZERO), "z": fixed(order.filled),
        "L": fixed(fill.price if fill else ZERO), "n": fixed(fill.commission) if fill else "0",
        "N": fill.commission_asset if fill else None, "T": order.updated, "t": fill.id if fill else -1, "I": order.id,
        "w": order.open, "m": fill.maker if fill else False, "M": False, "O": order.time, "Z": fixed(order.quote),
        "Y": fixed(round8(fill.quote)) if fill else "0.00000000", "Q": fixed(order.quote_quantity), "W": order.time,
        "V": order.stp,
    }  # fmt: skip


def account_position(exchange: Exchange, change: Change) -> dict[str, object]:
    """Write the outboundAccountPosition that follows a trade."""
    spec = exchange.markets.spot[change.order.symbol].spec
    coins = [
        {"a": coin, "f": fixed(exchange.spot.free(coin)), "l": fixed(exchange.spot.locked(coin))}
        for coin in (spec.base, spec.quote)
    ]
    return {"e": "outboundAccountPosition", "E": exchange.server_time(), "u": change.order.updated, "B": coins}
