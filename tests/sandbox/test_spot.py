"""Spot trading through real ccxt."""

from __future__ import annotations

from decimal import Decimal

import ccxt
import pytest


def coins(control, asset: str) -> Decimal:
    return Decimal(control.books()["spot"].get(asset, {"total": "0"})["total"])


def test_a_buy_receives_the_coin_less_the_fee(spot, control):
    """The taker fee of a purchase is taken from the coin that was bought."""
    order = spot.create_order("BTC/USDT", "market", "buy", 0.01)
    assert order["status"] == "closed"
    assert order["filled"] == 0.01
    assert order["fee"] == {"currency": "BTC", "cost": 1e-05}
    assert coins(control, "BTC") == Decimal("0.00999")
    assert spot.fetch_my_trades("BTC/USDT")[0]["fee"]["currency"] == "BTC"


def test_a_sale_receives_usdt_less_the_fee(spot, control):
    """The taker fee of a sale is taken from the USDT that came in."""
    control.post("balance", asset="ETH", amount="1")
    before = coins(control, "USDT")
    order = spot.create_order("ETH/USDT", "market", "sell", 1)
    assert order["fee"]["currency"] == "USDT"
    assert coins(control, "USDT") - before == Decimal(str(order["cost"])) * Decimal("0.999")
    assert coins(control, "ETH") == 0


def test_fees_can_be_paid_with_bnb(spot, control):
    """With BNB at hand and the option on, the coin arrives whole."""
    control.post("balance", asset="BNB", amount="1")
    control.post("fees", pay_with_bnb=True)
    order = spot.create_order("BTC/USDT", "market", "buy", 0.01)
    assert order["fee"]["currency"] == "BNB"
    assert coins(control, "BTC") == Decimal("0.01")
    assert coins(control, "BNB") < 1


def test_fee_rates_can_be_set(spot, control):
    """A fee rate that was set is charged and shown."""
    control.post("fees", spot_taker="0.00075")
    assert spot.fetch_trading_fee("BTC/USDT")["taker"] == 0.00075
    assert spot.create_order("BTC/USDT", "market", "buy", 0.1)["fee"]["cost"] == 0.000075


def test_a_market_buy_with_a_price_spends_quote(spot, control):
    """ccxt sends a market buy with a price as quoteOrderQty; no more than that is spent."""
    order = spot.create_order("BTC/USDT", "market", "buy", 0.01, 60000)
    sent = control.requests("POST", "/api/v3/order")[-1]["params"]
    assert sent["quoteOrderQty"] == "600"
    assert 599 < order["cost"] <= 600


def test_ioc_fills_what_the_cap_reaches_and_expires(spot, control):
    """An IOC order takes the levels within its price and the rest of it expires."""
    control.post("book", symbol="BTCUSDT", market="spot", depth="650", levels=3)
    order = spot.create_order("BTC/USDT", "limit", "buy", 0.1, 66000, {"timeInForce": "IOC"})
    assert order["status"] == "expired"
    assert 0.02 < order["filled"] < 0.03
    assert spot.fetch_balance()["USDT"]["used"] == 0


def test_fok_fills_all_or_nothing(spot, control):
    """A FOK order that the book can't fill leaves nothing behind."""
    control.post("book", symbol="BTCUSDT", market="spot", depth="650", levels=3)
    order = spot.create_order("BTC/USDT", "limit", "buy", 0.1, 66000, {"timeInForce": "FOK"})
    assert (order["status"], order["filled"]) == ("expired", 0)
    assert coins(control, "BTC") == 0


def test_a_market_order_larger_than_the_book_expires_in_part(spot, control):
    """A market order stops where the book ends."""
    control.post("book", symbol="BTCUSDT", market="spot", depth="650", levels=2)
    order = spot.create_order("BTC/USDT", "market", "buy", 0.1)
    assert order["status"] == "expired"
    assert 0.01 < order["filled"] < 0.03


def test_a_resting_order_locks_fills_and_pays_the_maker_fee(spot, control):
    """A limit order below the market waits with its money locked and fills at its own price when reached."""
    control.post("fees", spot_maker="0.0002")
    order = spot.create_order("BTC/USDT", "limit", "buy", 0.01, 60000)
    assert order["status"] == "open"
    assert spot.fetch_balance()["USDT"]["used"] == 600
    control.post("price", symbol="BTCUSDT", market="spot", price="59000")
    done = spot.fetch_order(order["id"], "BTC/USDT")
    assert (done["status"], done["average"]) == ("closed", 60000)
    assert spot.fetch_balance()["USDT"]["used"] == 0
    trade = spot.fetch_my_trades("BTC/USDT")[-1]
    assert (trade["takerOrMaker"], trade["fee"]["cost"]) == ("maker", 0.000002)


def test_a_resting_order_fills_in_parts_when_told(spot, control):
    """The control API can fill any part of a resting order; cancelling keeps what was filled."""
    order = spot.create_order("BTC/USDT", "limit", "buy", 0.01, 60000)
    control.post("fill", market="spot", order_id=order["id"], quantity="0.004")
    part = spot.fetch_order(order["id"], "BTC/USDT")
    assert (part["status"], part["filled"]) == ("open", 0.004)
    cancelled = spot.cancel_order(order["id"], "BTC/USDT")
    assert (cancelled["status"], cancelled["filled"]) == ("canceled", 0.004)
    assert coins(control, "BTC") == Decimal("0.003996")


def test_takers_can_be_filled_in_part(spot, control):
    """The next taker order gets the fraction that was set, the one after it everything."""
    control.post("partial", symbol="BTCUSDT", market="spot", taker=["0.25"])
    first = spot.create_order("BTC/USDT", "limit", "buy", 0.01, 66000, {"timeInForce": "IOC"})
    second = spot.create_order("BTC/USDT", "limit", "buy", 0.01, 66000, {"timeInForce": "IOC"})
    assert (first["status"], first["filled"]) == ("expired", 0.0025)
    assert (second["status"], second["filled"]) == ("closed", 0.01)


def test_post_only_refuses_to_take(spot):
    """A post-only order that would take is refused; one that rests is kept."""
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        spot.create_order("BTC/USDT", "limit", "buy", 0.01, 66000, {"postOnly": True})
    resting = spot.create_order("BTC/USDT", "limit", "buy", 0.01, 60000, {"postOnly": True})
    assert spot.fetch_order(resting["id"], "BTC/USDT")["postOnly"]


def test_a_client_id_is_unique_among_open_orders_only(spot, control):
    """A repeated id is refused while the first order rests, and fills a second time once it is done."""
    spot.create_order("BTC/USDT", "limit", "buy", 0.01, 60000, {"clientOrderId": "mine"})
    with pytest.raises(ccxt.ExchangeError, match="-2010"):
        spot.create_order("BTC/USDT", "limit", "buy", 0.01, 60000, {"clientOrderId": "mine"})
    for _ in range(2):
        spot.create_order("ETH/USDT", "market", "buy", 0.1, params={"clientOrderId": "twice"})
    assert coins(control, "ETH") == Decimal("0.1998")


def test_an_order_is_found_by_its_client_id(spot):
    """An order whose answer was lost is found by the id that we gave it; an unknown one is not found."""
    made = spot.create_order("BTC/USDT", "market", "buy", 0.01, params={"clientOrderId": "lost"})
    found = spot.fetch_order("", "BTC/USDT", {"clientOrderId": "lost"})
    assert (found["id"], found["filled"], found["status"]) == (made["id"], 0.01, "closed")
    with pytest.raises(ccxt.OrderNotFound):
        spot.fetch_order("", "BTC/USDT", {"clientOrderId": "never"})
    with pytest.raises(ccxt.OrderNotFound):
        spot.cancel_order(made["id"], "BTC/USDT")


def test_open_and_past_orders_are_listed(spot):
    """Resting orders are listed as open, all of them as orders; cancelling all leaves none."""
    for price in (50000, 51000):
        spot.create_order("BTC/USDT", "limit", "buy", 0.01, price)
    assert [order["price"] for order in spot.fetch_open_orders("BTC/USDT")] == [50000, 51000]
    spot.cancel_all_orders("BTC/USDT")
    assert spot.fetch_open_orders("BTC/USDT") == []
    assert {order["status"] for order in spot.fetch_orders("BTC/USDT")} == {"canceled"}


@pytest.mark.parametrize(
    ("params", "code", "says"),
    [
        ({"quantity": "0.000001"}, -1013, "LOT_SIZE"),
        ({"quantity": "0.0100001"}, -1013, "LOT_SIZE"),
        ({"quantity": "0.0000000001"}, -1111, "too much precision"),
        ({"quantity": "0.00001"}, -1013, "NOTIONAL"),
        ({"quantity": "200"}, -1013, "MARKET_LOT_SIZE"),
        ({"quantity": "-1"}, -1100, "quantity"),
        ({"quantity": ""}, -1102, "quantity"),
        ({"quantity": "1"}, -2010, "insufficient balance"),
        ({"side": "HOLD"}, -1117, "side"),
        ({"type": "STOP"}, -1116, "orderType"),
        ({"symbol": "XYZUSDT"}, -1121, "symbol"),
        ({"newClientOrderId": "what?"}, -1100, "newClientOrderId"),
        ({"type": "LIMIT", "price": "60000"}, -1102, "timeInForce"),
        ({"type": "LIMIT", "timeInForce": "GTC"}, -1102, "price"),
        ({"type": "LIMIT", "timeInForce": "GTC", "price": "60000.001"}, -1013, "PRICE_FILTER"),
        ({"type": "LIMIT", "timeInForce": "GTC", "price": "1000"}, -1013, "PERCENT_PRICE_BY_SIDE"),
    ],
)
def test_filters_refuse_with_binances_codes(spot, control, params, code, says):
    """Each filter answers with Binance's own code and message, and nothing is traded."""
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"} | params
    with pytest.raises(ccxt.BaseError, match=says):
        spot.private_post_order(order)
    assert control.requests("POST", "/api/v3/order")[-1]["code"] == code
    assert control.books()["orders"]["spot"] == []


def test_a_halted_market_refuses_orders(spot, control):
    """A market in BREAK is shown as inactive and takes no orders; resting ones stay unfilled."""
    resting = spot.create_order("BTC/USDT", "limit", "buy", 0.01, 60000)
    control.post("market", symbol="BTCUSDT", market="spot", status="BREAK")
    control.post("price", symbol="BTCUSDT", market="spot", price="50000")
    assert spot.load_markets(reload=True)["BTC/USDT"]["active"] is False
    with pytest.raises(ccxt.BaseError, match="Market is closed"):
        spot.create_order("BTC/USDT", "market", "buy", 0.01)
    assert spot.fetch_order(resting["id"], "BTC/USDT")["status"] == "open"


def test_depth_spread_and_price_are_as_set(spot, control):
    """The book shows the price, spread and depth that were set."""
    control.post("price", symbol="ETHUSDT", market="spot", price="2000")
    control.post("book", symbol="ETHUSDT", market="spot", spread_bps="20", depth="4000", step_bps="10", levels=5)
    book = spot.fetch_order_book("ETH/USDT")
    assert (book["bids"][0], book["asks"][0]) == ([1998, 2.002], [2002, 1.998])
    assert len(book["bids"]) == 5
    assert book["asks"][1][0] == 2004
    assert spot.fetch_ticker("ETH/USDT")["last"] == 2000
    assert spot.fetch_bids_asks(["ETH/USDT"])["ETH/USDT"]["bid"] == 1998
