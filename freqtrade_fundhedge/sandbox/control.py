"""The control API, ``/control/...``: everything a test or a user can do to the sandbox from outside.

GET answers with JSON; POST takes a JSON object. A wrong request is answered with 400 and ``{"error": ...}``.
Symbols are the exchange's (``BTCUSDT``, ``1000PEPEUSDT``); where a spot and a perpetual share one name,
``market`` says which is meant: ``spot``, ``perp`` or ``both``. For both, name the perpetual. Amounts are text.
The user-data streams have controls of their own: see ``control_streams``.

==================  =================================================================================
GET books           balances, positions, orders with fills, transfers, income, ledger, equity and its check
GET wallets         the first three of these
GET state           prices, basis, books' shapes, statuses, funding, fees, permissions, modes
GET requests        ``?method=&path=&since=``: the request log; ``GET counts``: counts by method and path
GET faults          the rules in force with their hits
POST price          symbol, price, market=both, ramp_s=0; ``both``: price is the spot price, basis is kept
POST basis          symbol, basis, ramp_s=0: moves the perpetual to index x (1 + basis);
                    past_hours: it was there for so long already (several calls: the latest wins)
POST book           symbol, market=both, depth, spread_bps, step_bps, levels
POST funding        symbol, rate (next ones), past + hours (rewrite settled ones), interval_hours, cap
POST settle         symbol or none for all, rate, record=false: pay funding now
POST fees           spot_maker, spot_taker, futures_maker, futures_taker, pay_with_bnb
POST permissions    key, and Binance's names of permissions
POST keys           key, secret, and permissions: another key of the same account
POST balance        asset, amount (negative takes out), wallet=spot: the user's own coins
POST transfers      lag_s; next_status: list of PENDING / FAILED for coming transfers; id + status: its outcome
POST partial        symbol, market=both, taker: list of fractions for coming orders, maker: fraction per touch
POST fill           symbol, market, order_id, quantity: fill a resting order at its price
POST position       symbol, action: liquidate, adl, close, reduce; quantity for adl and reduce
POST market         symbol, market, status (TRADING, BREAK, SETTLING ...), delisted_at, control_side
POST account        dual_side, multi_assets
POST clock          offset_ms: how wrong the exchange's own clock is
POST latency        ms: added to each request before it is applied
POST faults         kind, path, and the fields of faults.Fault; POST faults/clear
POST requests/clear forget the log
==================  =================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from decimal import Decimal

from freqtrade_fundhedge.sandbox.market import PerpMarket, SpotMarket
from freqtrade_fundhedge.sandbox.numbers import ONE, plain, to_decimal
from freqtrade_fundhedge.sandbox.settings import ApiKey, Permissions
from freqtrade_fundhedge.sandbox.views import (
    Body,
    Desk,
    show_books,
    show_counts,
    show_faults,
    show_requests,
    show_state,
    show_wallets,
    whole,
)


def _spot_and_perp(desk: Desk, body: Body) -> tuple[SpotMarket | None, PerpMarket | None]:
    """Find the markets that a body means; for both, the name is the perpetual's."""
    symbol, which = str(body["symbol"]), str(body.get("market", "both"))
    markets = desk.exchange.markets
    if which == "spot":
        return markets.spot_market(symbol), None
    perp = markets.perp_market(symbol)
    spot = perp.coin.spot
    return (markets.spot[spot.symbol] if which == "both" and spot is not None else None), perp


def set_price(desk: Desk, body: Body) -> None:
    """Move a price, at once or over a ramp."""
    markets, now = desk.exchange.markets, desk.exchange.now_ms()
    price, ramp = to_decimal(body["price"]), int(to_decimal(body.get("ramp_s", 0)) * 1000)
    which, symbol = str(body.get("market", "both")), str(body["symbol"])
    if price <= 0:
        raise ValueError("a price is positive")
    if which == "spot":
        markets.spot_market(symbol).path.set(now, price, ramp)
    elif which == "perp":
        markets.perp_market(symbol).path.set(now, price, ramp)
    else:
        perp = markets.perp_market(symbol)
        basis = markets.mark_price(symbol) / markets.index_price(symbol)
        markets.index[symbol].set(now, price, ramp)
        perp.path.set(now, price * perp.coin.multiplier * basis, ramp)


def set_basis(desk: Desk, body: Body) -> None:
    """Move the perpetual away from the index, now and if wanted in the past."""
    markets, symbol = desk.exchange.markets, str(body["symbol"])
    ramp, factor = int(to_decimal(body.get("ramp_s", 0)) * 1000), ONE + to_decimal(body["basis"])
    perp = markets.perp_market(symbol)
    perp.path.set(desk.exchange.now_ms(), markets.index_price(symbol) * factor, ramp)
    if hours := whole(body, "past_hours"):
        perp.path.follow(perp.path.born - hours * 3_600_000, markets.index[symbol], factor * perp.coin.multiplier)


def set_book(desk: Desk, body: Body) -> None:
    """Change the shape of books."""
    for market in _spot_and_perp(desk, body):
        if market is None:
            continue
        for name in ("depth", "spread_bps", "step_bps"):
            if name in body:
                setattr(market.shape, name, to_decimal(body[name]))
        market.shape.levels = whole(body, "levels", market.shape.levels)


def set_funding(desk: Desk, body: Body) -> None:
    """Set what funding was, is and how often."""
    funding, symbol = desk.exchange.funding, str(body["symbol"])
    book = funding.books[desk.exchange.markets.perp_market(symbol).symbol]
    if "cap" in body:
        book.cap = to_decimal(body["cap"])
    if "interval_hours" in body:
        funding.set_interval(symbol, whole(body, "interval_hours"))
    if "rate" in body:
        funding.set_next(symbol, to_decimal(body["rate"]))
    if "past" in body:
        funding.set_past(symbol, to_decimal(body["past"]), whole(body, "hours", 24 * 90))


def settle(desk: Desk, body: Body) -> dict[str, str]:
    """Pay funding now."""
    exchange = desk.exchange
    names = [str(body["symbol"])] if body.get("symbol") else list(exchange.markets.perp)
    rate = to_decimal(body["rate"]) if body.get("rate") is not None else None
    record = bool(body.get("record", False))
    now = exchange.now_ms()
    return {name: plain(exchange.funding.settle(name, now, rate=rate, record=record)) for name in names}


def set_fees(desk: Desk, body: Body) -> None:
    """Change fee rates."""
    for name, value in body.items():
        if name == "pay_with_bnb":
            desk.exchange.fees.pay_with_bnb = bool(value)
        elif name in {field.name for field in fields(desk.exchange.fees)}:
            setattr(desk.exchange.fees, name, to_decimal(value))
        else:
            raise ValueError(f"no such fee: {name}")


def _grant(permissions: Permissions, body: Body) -> None:
    known = {field.name for field in fields(permissions)}
    for name, value in body.items():
        if name not in known:
            raise ValueError(f"no such permission: {name}")
        number = isinstance(value, int) and not isinstance(value, bool)
        setattr(permissions, name, value if value is None or number else bool(value))


def set_permissions(desk: Desk, body: Body) -> None:
    """Give a key permissions or take them."""
    key = str(body.get("key", desk.exchange.options.key))
    _grant(desk.exchange.keys[key].permissions, {k: v for k, v in body.items() if k != "key"})


def add_key(desk: Desk, body: Body) -> None:
    """Make another key of the account."""
    key = ApiKey(str(body["key"]), str(body["secret"]))
    _grant(key.permissions, {k: v for k, v in body.items() if k not in {"key", "secret"}})
    desk.exchange.keys[key.key] = key


def change_balance(desk: Desk, body: Body) -> None:
    """Deposit or withdraw."""
    wallet, asset = str(body.get("wallet", "spot")), str(body["asset"])
    desk.exchange.deposit(wallet, asset, to_decimal(body["amount"]))


def set_transfers(desk: Desk, body: Body) -> None:
    """Make the transfer desk slow or moody, or settle a pending transfer."""
    transfers = desk.exchange.transfers
    if "lag_s" in body:
        transfers.lag_ms = int(to_decimal(body["lag_s"]) * 1000)
    if "next_status" in body:
        names = body["next_status"]
        transfers.next_status = [str(name) for name in names] if isinstance(names, list) else [str(names)]
    if "id" in body:
        transfers.resolve(whole(body, "id"), str(body["status"]))


def set_partial(desk: Desk, body: Body) -> None:
    """Fill orders in part."""
    for market in _spot_and_perp(desk, body):
        if market is None:
            continue
        if "taker" in body:
            market.taker_fraction[:] = _fractions(body["taker"])
        if "maker" in body:
            market.maker_fraction[:] = _fractions(body["maker"])


def _fractions(value: object) -> list[Decimal]:
    if value is None:
        return []
    return [to_decimal(part) for part in value] if isinstance(value, list) else [to_decimal(value)]


def fill_order(desk: Desk, body: Body) -> None:
    """Fill a resting order."""
    order_id, quantity = whole(body, "order_id"), to_decimal(body["quantity"])
    if str(body["market"]) == "spot":
        desk.exchange.spot.fill_resting(desk.exchange.spot.store.orders[order_id], quantity)
    else:
        desk.exchange.futures.fill_resting(desk.exchange.futures.store.orders[order_id], quantity)


def act_on_position(desk: Desk, body: Body) -> dict[str, object]:
    """Do to a position what its holder did not ask for, or what the holder does by hand on the web."""
    exchange, action = desk.exchange, str(body["action"])
    position = exchange.futures.account.position(str(body["symbol"]))
    if not position.quantity:
        raise ValueError("there is no position")
    quantity = to_decimal(body.get("quantity", abs(position.quantity)))
    now = exchange.now_ms()
    if action == "liquidate":
        order = exchange.enforcer.liquidate(position, now)
    elif action in {"adl", "close", "reduce"}:
        order = exchange.enforcer.close(position, quantity, "ADL" if action == "adl" else "MANUAL", now)
    else:
        raise ValueError(f"no such action: {action}")
    return {"orderId": order.id, "quantity": plain(order.filled)}


def set_market(desk: Desk, body: Body) -> None:
    """Halt, resume or delist a market."""
    for market in _spot_and_perp(desk, body):
        if market is not None:
            market.status = str(body.get("status", market.status))
            market.delisted_at = whole(body, "delisted_at") or market.delisted_at
            market.control_side = str(body.get("control_side", market.control_side))


def set_account(desk: Desk, body: Body) -> None:
    """Switch account modes as the user would on the web."""
    mode = desk.exchange.mode
    mode.dual_side = bool(body.get("dual_side", mode.dual_side))
    mode.multi_assets = bool(body.get("multi_assets", mode.multi_assets))


def set_clock(desk: Desk, body: Body) -> None:
    """Put the exchange's clock wrong."""
    desk.exchange.clock_offset_ms = whole(body, "offset_ms")


def set_latency(desk: Desk, body: Body) -> None:
    """Slow every request down."""
    desk.faults.latency = float(to_decimal(body["ms"])) / 1000


def add_fault(desk: Desk, body: Body) -> dict[str, object]:
    """Add a fault rule."""
    return asdict(desk.faults.add(**{str(name): value for name, value in body.items()}))


def clear_faults(desk: Desk, body: Body) -> None:
    """Drop every fault rule and the latency."""
    desk.faults.clear()


def clear_requests(desk: Desk, body: Body) -> None:
    """Forget the request log."""
    desk.log.clear()


CONTROLS: dict[tuple[str, str], Callable[[Desk, Body], object]] = {
    ("GET", "books"): show_books,
    ("GET", "wallets"): show_wallets,
    ("GET", "state"): show_state,
    ("GET", "requests"): show_requests,
    ("GET", "counts"): show_counts,
    ("GET", "faults"): show_faults,
    ("POST", "price"): set_price,
    ("POST", "basis"): set_basis,
    ("POST", "book"): set_book,
    ("POST", "funding"): set_funding,
    ("POST", "settle"): settle,
    ("POST", "fees"): set_fees,
    ("POST", "permissions"): set_permissions,
    ("POST", "keys"): add_key,
    ("POST", "balance"): change_balance,
    ("POST", "transfers"): set_transfers,
    ("POST", "partial"): set_partial,
    ("POST", "fill"): fill_order,
    ("POST", "position"): act_on_position,
    ("POST", "market"): set_market,
    ("POST", "account"): set_account,
    ("POST", "clock"): set_clock,
    ("POST", "latency"): set_latency,
    ("POST", "faults"): add_fault,
    ("POST", "faults/clear"): clear_faults,
    ("POST", "requests/clear"): clear_requests,
}
