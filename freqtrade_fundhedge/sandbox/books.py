"""A full snapshot of the exchange and the check that its books balance."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.http_spot import order_shape as spot_order
from freqtrade_fundhedge.sandbox.ledger import FUTURES, OWN, SPOT
from freqtrade_fundhedge.sandbox.numbers import ZERO, plain
from freqtrade_fundhedge.sandbox.orders import Fill, Order
from freqtrade_fundhedge.sandbox.shape_futures import asset_shape, position_shape_v2, query_shape
from freqtrade_fundhedge.sandbox.transfers import ROUTES


def books(exchange: Exchange) -> dict[str, object]:
    """Write everything there is to know about the account at one instant, amounts as text."""
    with exchange.markets.still():
        return _books(exchange)


def _books(exchange: Exchange) -> dict[str, object]:
    return wallets(exchange) | {
        "orders": {
            "spot": [spot_order(order) | {"fills": _fills(order)} for order in _all(exchange.spot.store.orders)],
            "futures": [
                query_shape(exchange, order) | {"fills": _fills(order)} for order in _all(exchange.futures.store.orders)
            ],
        },
        "transfers": _transfers(exchange),
        "income": [
            {"time": row.time, "symbol": row.symbol, "kind": row.kind, "amount": plain(row.amount)}
            for row in exchange.futures.income.rows
        ],
        "ledger": [
            {
                "time": entry.time,
                "wallet": entry.wallet,
                "asset": entry.asset,
                "amount": plain(entry.amount),
                "reason": entry.reason,
                "ref": entry.ref,
            }
            for entry in exchange.ledger.entries
        ],
        "equity": equity(exchange),
    }


def wallets(exchange: Exchange) -> dict[str, object]:
    """Write the short form: wallets and positions only."""
    account = exchange.futures.account
    return {
        "time": exchange.now_ms(),
        "spot": _wallet(exchange),
        "futures": asset_shape(account.totals(), account.updated),
        "positions": [position_shape_v2(exchange, position) for position in account.held()],
    }


def _all(orders: dict[int, Order]) -> list[Order]:
    return list(orders.values())


def _wallet(exchange: Exchange) -> dict[str, dict[str, str]]:
    rows = {}
    for asset in exchange.markets.assets():
        total = exchange.ledger.balance(SPOT, asset)
        if total:
            locked = exchange.spot.locked(asset)
            rows[asset] = {"total": plain(total), "free": plain(total - locked), "locked": plain(locked)}
    return rows


def _fills(order: Order) -> list[dict[str, object]]:
    return [
        {
            "id": fill.id,
            "price": plain(fill.price),
            "qty": plain(fill.quantity),
            "commission": plain(fill.commission),
            "asset": fill.commission_asset,
            "maker": fill.maker,
            "time": fill.time,
            "realized": plain(fill.realized),
        }
        for fill in order.fills
    ]


def _transfers(exchange: Exchange) -> list[dict[str, object]]:
    return [
        {
            "id": row.id,
            "type": row.kind,
            "asset": row.asset,
            "amount": plain(row.amount),
            "time": row.time,
            "status": row.status,
            "listed_at": row.listed_at,
        }
        for row in exchange.transfers.rows
    ]


def equity(exchange: Exchange) -> dict[str, object]:
    """Value the account in USDT and say where the value came from.

    ``deposits + price + funding - fees - clearance == total`` must hold; ``price`` is worked out from the
    trades alone, ``total`` from the balances alone. ``faults`` lists what does not fit, and is empty.
    """
    account, worth = exchange.futures.account, exchange.markets.worth
    total = (
        sum(
            (amount * worth(asset) for (wallet, asset), amount in exchange.ledger.balances.items() if wallet in OWN),
            ZERO,
        )
        + account.totals().pnl
    )
    parts = _parts(exchange)
    explained = parts["deposits"] + parts["price"] + parts["funding"] - parts["fees"] - parts["clearance"]
    faults = audit(exchange)
    if abs(total - explained) > Decimal("1e-6"):
        faults.append(f"equity {total}, explained {explained}")
    shown: dict[str, object] = {name: plain(value) for name, value in parts.items()}
    return shown | {"total": plain(total), "residual": plain(total - explained), "faults": faults}


def _parts(exchange: Exchange) -> dict[str, Decimal]:
    worth = exchange.markets.worth
    price = ZERO
    fees = ZERO
    for _, asset, amount, then in exchange.deposits:
        price += amount * (worth(asset) - then)
    for fill in exchange.spot.store.trades:
        spec = exchange.markets.spot[fill.symbol].spec
        price += _signed(fill) * (worth(spec.base) - fill.price)
        fees += fill.commission * worth(fill.commission_asset)
    for fill in exchange.futures.store.trades:
        price += _signed(fill) * (exchange.markets.mark_price(fill.symbol) - fill.price)
        fees += fill.commission
    rows = exchange.futures.income.rows
    return {
        "deposits": sum((amount * then for _, _, amount, then in exchange.deposits), ZERO),
        "price": price,
        "fees": fees,
        "funding": sum((row.amount for row in rows if row.kind == "FUNDING_FEE"), ZERO),
        "clearance": -sum((row.amount for row in rows if row.kind == "INSURANCE_CLEAR"), ZERO),
    }


def _signed(fill: Fill) -> Decimal:
    return fill.quantity if fill.side == "BUY" else -fill.quantity


def audit(exchange: Exchange) -> list[str]:
    """Rebuild every balance from trades, transfers, income and deposits; list where the ledger differs."""
    found = exchange.ledger.faults()
    wanted: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for wallet, asset, amount, _ in exchange.deposits:
        wanted[wallet, asset] += amount
    for fill in exchange.spot.store.trades:
        spec = exchange.markets.spot[fill.symbol].spec
        wanted[SPOT, spec.base] += _signed(fill)
        wanted[SPOT, spec.quote] -= _signed(fill) * fill.price
        wanted[SPOT, fill.commission_asset] -= fill.commission
    for row in exchange.transfers.rows:
        if row.status == "CONFIRMED":
            source, target = ROUTES[row.kind]
            wanted[source, row.asset] -= row.amount
            wanted[target, row.asset] += row.amount
    for income in exchange.futures.income.rows:
        if income.kind != "TRANSFER":
            wanted[FUTURES, "USDT"] += income.amount
    for wallet, asset in {*wanted, *(key for key in exchange.ledger.balances if key[0] in OWN)}:
        held = exchange.ledger.balance(wallet, asset)
        if held != wanted[wallet, asset]:
            found.append(f"{wallet} {asset}: holds {held}, history says {wanted[wallet, asset]}")
        if held < ZERO and wallet == SPOT:
            found.append(f"{wallet} {asset}: negative balance {held}")
    return found + _positions(exchange)


def _positions(exchange: Exchange) -> list[str]:
    sums: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for fill in exchange.futures.store.trades:
        sums[fill.symbol] += _signed(fill)
    account = exchange.futures.account
    found = [
        f"{symbol}: position {account.position(symbol).quantity}, trades say {amount}"
        for symbol, amount in sums.items()
        if account.position(symbol).quantity != amount
    ]
    for position in account.positions.values():
        if position.wallet and (not position.quantity or not position.isolated):
            found.append(f"{position.symbol}: margin {position.wallet} is locked for nothing")
    return found
