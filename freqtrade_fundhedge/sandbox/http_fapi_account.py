"""Private futures endpoints about the account: balances, positions, settings, income."""

from __future__ import annotations

from freqtrade_fundhedge.sandbox import margin
from freqtrade_fundhedge.sandbox.auth import Need
from freqtrade_fundhedge.sandbox.errors import BinanceError
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.numbers import fixed, plain
from freqtrade_fundhedge.sandbox.params import Params
from freqtrade_fundhedge.sandbox.positions import Position
from freqtrade_fundhedge.sandbox.routes import Routes
from freqtrade_fundhedge.sandbox.shape_futures import (
    account_position_shape,
    asset_shape,
    brackets_shape,
    position_shape,
    position_shape_v2,
    totals_shape,
)

routes = Routes()
_WEEK_MS = 7 * 86_400_000


def _flags(exchange: Exchange) -> dict[str, object]:
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "tradeGroupId": -1,
        "updateTime": 0,
        "multiAssetsMargin": exchange.mode.multi_assets,
    }


def _active(exchange: Exchange) -> list[Position]:
    """Positions that are held or have orders: all that version 3 shows."""
    ordered = {order.symbol for order in exchange.futures.store.open()}
    positions = exchange.futures.account.positions.values()
    return [p for p in positions if p.quantity or p.symbol in ordered]


def _every(exchange: Exchange, params: Params) -> list[Position]:
    names = [params.text("symbol")] if params.has("symbol") else list(exchange.markets.perp)
    return [exchange.futures.account.position(name) for name in names]


@routes.add("GET", "/fapi/v3/account", Need.FUTURES)
def account_v3(exchange: Exchange, params: Params) -> object:
    """Show balances and open positions."""
    account = exchange.futures.account
    totals = account.totals()
    return (
        _flags(exchange)
        | totals_shape(totals)
        | {
            "assets": [asset_shape(totals, account.updated)],
            "positions": [account_position_shape(exchange, p, full=False) for p in _active(exchange)],
        }
    )


@routes.add("GET", "/fapi/v2/account", Need.FUTURES)
def account_v2(exchange: Exchange, params: Params) -> object:
    """Show balances and every position."""
    account = exchange.futures.account
    totals = account.totals()
    return (
        _flags(exchange)
        | totals_shape(totals)
        | {
            "assets": [asset_shape(totals, account.updated)],
            "positions": [account_position_shape(exchange, p, full=True) for p in _every(exchange, params)],
        }
    )


@routes.add("GET", "/fapi/v2/balance", Need.FUTURES)
@routes.add("GET", "/fapi/v3/balance", Need.FUTURES)
def balance(exchange: Exchange, params: Params) -> object:
    """Show the futures wallet."""
    account = exchange.futures.account
    line = asset_shape(account.totals(), account.updated)
    names = ("crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount", "marginAvailable")
    head = {"accountAlias": "FzFzXquXXqoC", "asset": "USDT", "balance": line["walletBalance"]}
    return [head | {name: line[name] for name in names} | {"updateTime": line["updateTime"]}]


@routes.add("GET", "/fapi/v3/positionRisk", Need.FUTURES)
def positions_v3(exchange: Exchange, params: Params) -> object:
    """Show positions that are open or have orders."""
    positions = _every(exchange, params) if params.has("symbol") else _active(exchange)
    active = _active(exchange)
    return [position_shape(exchange, position) for position in positions if position in active]


@routes.add("GET", "/fapi/v2/positionRisk", Need.FUTURES)
def positions_v2(exchange: Exchange, params: Params) -> object:
    """Show every position."""
    return [position_shape_v2(exchange, position) for position in _every(exchange, params)]


@routes.add("GET", "/fapi/v1/leverageBracket", Need.FUTURES)
def leverage_brackets(exchange: Exchange, params: Params) -> object:
    """Show leverage tables."""
    names = [params.text("symbol")] if params.has("symbol") else list(exchange.markets.perp)
    return [brackets_shape(exchange.markets.perp_market(name).spec) for name in names]


@routes.add("GET", "/fapi/v1/positionSide/dual", Need.FUTURES)
def get_position_side(exchange: Exchange, params: Params) -> object:
    """Show whether long and short are kept apart (hedge mode)."""
    return {"dualSidePosition": exchange.mode.dual_side}


@routes.add("POST", "/fapi/v1/positionSide/dual", Need.FUTURES)
def set_position_side(exchange: Exchange, params: Params) -> object:
    """Switch hedge mode."""
    wanted = params.flag("dualSidePosition")
    if wanted == exchange.mode.dual_side:
        raise BinanceError(-4059, "No need to change position side.")
    _refuse_when_busy(exchange, -4067, "Position side cannot be changed if there exists open orders.", -4068)
    exchange.mode.dual_side = wanted
    return {"code": 200, "msg": "success"}


def _refuse_when_busy(exchange: Exchange, code: int, msg: str, position_code: int) -> None:
    if exchange.futures.store.open():
        raise BinanceError(code, msg)
    if exchange.futures.account.held():
        raise BinanceError(position_code, "Position side cannot be changed if there exists position.")


@routes.add("GET", "/fapi/v1/multiAssetsMargin", Need.FUTURES)
def get_multi_assets(exchange: Exchange, params: Params) -> object:
    """Show whether all coins together are margin."""
    return {"multiAssetsMargin": exchange.mode.multi_assets}


@routes.add("POST", "/fapi/v1/multiAssetsMargin", Need.FUTURES)
def set_multi_assets(exchange: Exchange, params: Params) -> object:
    """Switch multi-assets mode."""
    wanted = params.flag("multiAssetsMargin")
    if wanted == exchange.mode.multi_assets:
        raise BinanceError(-4171, "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.")
    if wanted and any(p.isolated and p.quantity for p in exchange.futures.account.held()):
        raise BinanceError(
            -4167,
            "Unable to adjust to Multi-Assets mode with symbols of USDⓈ-M Futures under isolated-margin mode.",
        )
    exchange.mode.multi_assets = wanted
    return {"code": 200, "msg": "success"}


@routes.add("POST", "/fapi/v1/leverage", Need.FUTURES)
def set_leverage(exchange: Exchange, params: Params) -> object:
    """Set the leverage of a symbol."""
    position = exchange.futures.account.position(params.text("symbol"))
    brackets = exchange.markets.perp[position.symbol].spec.brackets
    leverage = params.integer("leverage")
    if leverage is None or not 1 <= leverage <= brackets[0].leverage:
        raise BinanceError(-4028, f"Leverage {leverage} is not valid")
    if position.quantity and position.isolated and leverage < position.leverage:
        raise BinanceError(-4161, "Leverage reduction is not supported in Isolated Margin Mode with open positions.")
    most = margin.max_notional(brackets, leverage)
    if abs(exchange.futures.account.notional(position)) > most:
        raise BinanceError(-2027, "Exceeded the maximum allowable position at current leverage.")
    previous, position.leverage = position.leverage, leverage
    totals = exchange.futures.account.totals()
    used = totals.position_initial + totals.order_initial
    if position.quantity and leverage < previous and used > totals.wallet + totals.pnl:
        position.leverage = previous
        raise BinanceError(-2028, "Leverage is smaller than permitted: insufficient margin balance.")
    return {"symbol": position.symbol, "leverage": leverage, "maxNotionalValue": plain(most)}


@routes.add("POST", "/fapi/v1/marginType", Need.FUTURES)
def set_margin_type(exchange: Exchange, params: Params) -> object:
    """Switch a symbol between isolated and cross margin."""
    position = exchange.futures.account.position(params.text("symbol"))
    kind = params.text("marginType")
    if kind not in {"ISOLATED", "CROSSED"}:
        raise BinanceError(-1102, "Invalid marginType.")
    isolated = kind == "ISOLATED"
    if isolated and exchange.mode.multi_assets:
        raise BinanceError(-4168, "Unable to adjust to isolated-margin mode under the Multi-Assets mode.")
    if isolated == position.isolated:
        raise BinanceError(-4046, "No need to change margin type.")
    if exchange.futures.store.open(position.symbol):
        raise BinanceError(-4047, "Margin type cannot be changed if there exists open orders.")
    if position.quantity:
        raise BinanceError(-4048, "Margin type cannot be changed if there exists position.")
    position.isolated = isolated
    return {"code": 200, "msg": "success"}


@routes.add("GET", "/fapi/v1/symbolConfig", Need.FUTURES)
def symbol_config(exchange: Exchange, params: Params) -> object:
    """Show margin type and leverage of symbols."""
    return [
        {
            "symbol": position.symbol,
            "marginType": "ISOLATED" if position.isolated else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": position.leverage,
            "maxNotionalValue": plain(
                margin.max_notional(exchange.markets.perp[position.symbol].spec.brackets, position.leverage)
            ),
        }
        for position in _every(exchange, params)
    ]


@routes.add("GET", "/fapi/v1/accountConfig", Need.FUTURES)
def account_config(exchange: Exchange, params: Params) -> object:
    """Show the account's settings."""
    return _flags(exchange) | {"dualSidePosition": exchange.mode.dual_side}


@routes.add("GET", "/fapi/v1/commissionRate", Need.FUTURES)
def commission_rate(exchange: Exchange, params: Params) -> object:
    """Show futures fee rates."""
    market = exchange.markets.perp_market(params.text("symbol"))
    return {
        "symbol": market.symbol,
        "makerCommissionRate": fixed(exchange.fees.futures_maker, 6),
        "takerCommissionRate": fixed(exchange.fees.futures_taker, 6),
    }


@routes.add("GET", "/fapi/v1/income", Need.FUTURES)
def income(exchange: Exchange, params: Params) -> object:
    """List changes of the futures wallet."""
    start, end = params.integer("startTime"), params.integer("endTime")
    symbol, kind = params.text("symbol", ""), params.text("incomeType", "")
    since = start if start is not None else exchange.now_ms() - _WEEK_MS
    rows = [
        row
        for row in exchange.futures.income.rows
        if symbol in {"", row.symbol} and kind in {"", row.kind} and since <= row.time <= (end or 1 << 62)
    ]
    size, page = params.size(100, 1000), max(1, params.integer("page") or 1)
    return [
        {
            "symbol": row.symbol,
            "incomeType": row.kind,
            "income": fixed(row.amount),
            "asset": "USDT",
            "info": row.info or row.trade_id,
            "time": row.time,
            "tranId": row.id,
            "tradeId": row.trade_id,
        }
        for row in rows[(page - 1) * size : page * size]
    ]
