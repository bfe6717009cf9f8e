"""Perpetuals through real ccxt: margin, profit, liquidation, force."""

from __future__ import annotations

from decimal import Decimal

import ccxt
import pytest

PAIR = "ETH/USDT:USDT"


def usdt(swap) -> dict[str, Decimal]:
    names = ("walletBalance", "availableBalance", "maxWithdrawAmount", "crossWalletBalance", "initialMargin")
    line = swap.fetch_balance()["info"]["assets"][0]
    return {name: Decimal(line[name]) for name in names}


@pytest.fixture
def flat(swap, control):
    """No spread and no fees, so that margins are round numbers."""
    control.post("fees", futures_taker="0", futures_maker="0")
    control.post("book", symbol="ETHUSDT", market="perp", spread_bps="0", depth="10000000")
    control.post("price", symbol="ETHUSDT", price="2500")
    return swap


def short(client, mode: str = "isolated", leverage: int = 5, amount: float = 1):
    client.set_margin_mode(mode, PAIR) if mode == "isolated" else None
    client.set_leverage(leverage, PAIR)
    return client.create_order(PAIR, "market", "sell", amount)


def test_isolated_margin_is_locked_in_its_position(flat):
    """An isolated short takes its margin out of the wallet that can be withdrawn, whatever the price does."""
    short(flat)
    after = usdt(flat)
    assert after["walletBalance"] == 5000
    assert after["crossWalletBalance"] == after["maxWithdrawAmount"] == after["availableBalance"] == 4500
    assert flat.fetch_positions([PAIR])[0]["collateral"] == 500


def test_isolated_profit_cannot_be_withdrawn_before_the_close(flat, control):
    """Unrealised profit of an isolated short stays in it; the close brings margin and profit back."""
    short(flat)
    control.post("price", symbol="ETHUSDT", price="2399.99")
    assert usdt(flat)["maxWithdrawAmount"] == 4500
    flat.create_order(PAIR, "market", "buy", 1, params={"reduceOnly": True})
    assert usdt(flat)["maxWithdrawAmount"] == 5100


def test_cross_profit_is_available_but_not_withdrawable(flat, control):
    """A winning cross short raises availableBalance above what can be transferred: wallet less maintenance."""
    short(flat, "cross")
    assert usdt(flat)["maxWithdrawAmount"] == usdt(flat)["availableBalance"] == 5000 - 500
    control.post("price", symbol="ETHUSDT", price="2000")
    after = usdt(flat)
    assert after["availableBalance"] == 5000 + 500 - 400
    assert after["maxWithdrawAmount"] == 5000 - 8


def test_cross_loss_lowers_what_can_be_withdrawn(flat, control):
    """A losing cross short lowers both."""
    short(flat, "cross")
    control.post("price", symbol="ETHUSDT", price="2750")
    after = usdt(flat)
    assert after["availableBalance"] == after["maxWithdrawAmount"] == 5000 - 250 - 550


def test_a_partial_close_gives_back_its_share(flat, control):
    """Closing a third frees a third of the margin and realises a third of the profit."""
    short(flat, amount=3)
    control.post("price", symbol="ETHUSDT", price="2439.99")
    flat.create_order(PAIR, "market", "buy", 1, params={"reduceOnly": True})
    after = usdt(flat)
    assert after["walletBalance"] == 5060
    assert after["crossWalletBalance"] == 5060 - 1000
    assert flat.fetch_my_trades(PAIR)[-1]["info"]["realizedPnl"] == "60.00000000"


def test_isolated_liquidation_costs_the_margin_and_no_more(flat, control):
    """A rise through the liquidation price ends the short; what was not its margin stays."""
    short(flat)
    price = Decimal(flat.fetch_positions([PAIR])[0]["info"]["liquidationPrice"])
    assert Decimal("2950") < price < Decimal("3000")
    control.post("price", symbol="ETHUSDT", price=str(price - 1))
    assert len(flat.fetch_positions([PAIR])) == 1
    control.post("price", symbol="ETHUSDT", price="3100")
    assert flat.fetch_positions([PAIR]) == []
    assert usdt(flat)["walletBalance"] == 4500
    forced = flat.fapiprivate_get_forceorders({"symbol": "ETHUSDT"})[0]
    assert forced["clientOrderId"].startswith("autoclose-")
    assert control.books()["equity"]["faults"] == []


def test_cross_liquidation_takes_the_account(flat, control):
    """A cross position answers with the whole wallet, and never with more."""
    short(flat, "cross", 20, 10)
    control.post("price", symbol="ETHUSDT", price="3050")
    assert flat.fetch_positions([PAIR]) == []
    assert 0 <= usdt(flat)["walletBalance"] < 1
    assert control.books()["equity"]["faults"] == []


@pytest.mark.parametrize(("action", "prefix"), [("adl", "adl_autoclose"), ("reduce", "web_")])
def test_a_position_can_shrink_without_an_order_of_ours(flat, control, action, prefix):
    """Deleveraging or a hand on the web reduces the position; the exchange's position tells."""
    short(flat, amount=2)
    control.post("position", symbol="ETHUSDT", action=action, quantity="0.5")
    assert flat.fetch_positions([PAIR])[0]["contracts"] == 1.5
    assert flat.fetch_orders(PAIR)[-1]["clientOrderId"].startswith(prefix)


def test_reduce_only_never_opens(flat):
    """A reduce-only order is cut to the position, and refused without one."""
    with pytest.raises(ccxt.ExchangeError, match="-2022"):
        flat.create_order(PAIR, "market", "buy", 1, params={"reduceOnly": True})
    short(flat)
    order = flat.create_order(PAIR, "market", "buy", 3, params={"reduceOnly": True})
    assert order["filled"] == 1
    assert flat.fetch_positions([PAIR]) == []


def test_margin_type_and_leverage_have_their_rules(flat):
    """Margin type can't change twice the same way nor with a position; isolated leverage can't fall under one."""
    short(flat)
    with pytest.raises(ccxt.MarginModeAlreadySet):
        flat.set_margin_mode("isolated", PAIR)
    with pytest.raises(ccxt.BaseError, match="-4048"):
        flat.set_margin_mode("cross", PAIR)
    with pytest.raises(ccxt.BaseError, match="-4161"):
        flat.set_leverage(2, PAIR)
    assert flat.fetch_margin_mode(PAIR)["marginMode"] == "isolated"
    assert flat.fetch_leverage(PAIR)["shortLeverage"] == 5


def test_margin_can_be_added_to_an_isolated_position(flat):
    """Added margin leaves the free wallet, moves the liquidation price away, and can be taken out again."""
    short(flat)
    near = flat.fetch_positions([PAIR])[0]["liquidationPrice"]
    flat.add_margin(PAIR, 100)
    assert flat.fetch_positions([PAIR])[0]["liquidationPrice"] > near + 90
    assert usdt(flat)["maxWithdrawAmount"] == 4400
    flat.reduce_margin(PAIR, 100)
    assert usdt(flat)["maxWithdrawAmount"] == 4500
    with pytest.raises(ccxt.BaseError, match="-4051"):
        flat.reduce_margin(PAIR, 100)
    assert [row["amount"] for row in flat.fetch_margin_adjustment_history(PAIR)] == [500, 100, 100]


def test_a_resting_entry_holds_margin_and_can_fill_in_parts(flat, control):
    """A limit short holds margin while it waits; partial fills show before it is done."""
    flat.set_leverage(5, PAIR)
    order = flat.create_order(PAIR, "limit", "sell", 1, 2550)
    assert usdt(flat)["initialMargin"] == 510
    control.post("fill", market="perp", order_id=order["id"], quantity="0.4")
    part = flat.fetch_order(order["id"], PAIR)
    assert (part["status"], part["filled"]) == ("open", 0.4)
    control.post("price", symbol="ETHUSDT", price="2560")
    assert flat.fetch_order(order["id"], PAIR)["status"] == "closed"
    assert flat.fetch_positions([PAIR])[0]["contracts"] == 1


def test_a_maker_fraction_fills_once_per_touch(flat, control):
    """With a maker fraction set, each time the price comes to the order a part of it fills."""
    control.post("partial", symbol="ETHUSDT", market="perp", maker="0.25")
    order = flat.create_order(PAIR, "limit", "sell", 1, 2550)
    for touches in (1, 2):
        control.post("price", symbol="ETHUSDT", market="perp", price="2551")
        assert flat.fetch_order(order["id"], PAIR)["filled"] == 0.25 * touches
        control.post("price", symbol="ETHUSDT", market="perp", price="2500")


def test_post_only_and_fok_are_refused_outright(flat, control):
    """GTX that would take and FOK that can't be filled are refused and leave no order."""
    control.post("book", symbol="ETHUSDT", market="perp", depth="2500", levels=2)
    with pytest.raises(ccxt.BaseError, match="-5022"):
        flat.create_order(PAIR, "limit", "sell", 1, 2490, {"timeInForce": "PO"})
    with pytest.raises(ccxt.BaseError, match="-5021"):
        flat.create_order(PAIR, "limit", "sell", 5, 2490, {"timeInForce": "FOK"})
    assert flat.fetch_orders(PAIR) == []
    ioc = flat.create_order(PAIR, "limit", "sell", 5, 2490, {"timeInForce": "IOC"})
    assert (ioc["status"], ioc["filled"]) == ("expired", 2)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"quantity": "0"}, -4003),
        ({"quantity": "0.0001"}, -1111),
        ({"quantity": "0.007"}, -4164),
        ({"quantity": "2001"}, -4005),
        ({"quantity": "1000"}, -2019),
        ({"type": "LIMIT", "timeInForce": "GTC", "price": "2500.001"}, -1111),
        ({"type": "LIMIT", "timeInForce": "GTC", "price": "0"}, -4001),
        ({"type": "LIMIT", "timeInForce": "GTC", "price": "2000"}, -4024),
        ({"type": "LIMIT", "price": "2500"}, -1102),
        ({"type": "STOP_MARKET"}, -4120),
        ({"positionSide": "SHORT"}, -4061),
        ({"newClientOrderId": "x" * 37}, -4015),
        ({"symbol": "NOPEUSDT"}, -1121),
    ],
)
def test_rules_refuse_with_binances_codes(flat, control, params, code):
    """Each rule answers with Binance's own code, and nothing is traded."""
    order = {"symbol": "ETHUSDT", "side": "SELL", "type": "MARKET", "quantity": "1"} | params
    with pytest.raises(ccxt.BaseError):
        flat.fapiprivate_post_order(order)
    assert control.requests("POST", "/fapi/v1/order")[-1]["code"] == code
    assert control.books()["orders"]["futures"] == []


def test_reduce_only_is_exempt_from_the_minimum(flat):
    """What is left of a short can be closed however small it is."""
    short(flat)
    order = flat.create_order(PAIR, "market", "buy", 0.001, params={"reduceOnly": True})
    assert order["filled"] == 0.001


def test_client_ids_repeat_only_after_the_first_is_done(flat):
    """-4116 while the first order rests; afterwards the same id trades again."""
    rest = flat.create_order(PAIR, "limit", "sell", 1, 2550, {"clientOrderId": "a.b:c/d_e-1"})
    with pytest.raises(ccxt.ExchangeError, match="-4116"):
        flat.create_order(PAIR, "limit", "sell", 1, 2550, {"clientOrderId": "a.b:c/d_e-1"})
    flat.cancel_order(rest["id"], PAIR)
    for _ in range(2):
        flat.create_order(PAIR, "market", "sell", 0.1, params={"clientOrderId": "again"})
    assert flat.fetch_positions([PAIR])[0]["contracts"] == 0.2


def test_a_stop_waits_triggers_and_closes(flat, control):
    """A stop through the algo endpoint triggers on price and closes the position reduce-only."""
    short(flat)
    stop = flat.create_order(PAIR, "market", "buy", 1, None, {"stopPrice": 2600, "reduceOnly": True})
    assert flat.fetch_order(stop["id"], PAIR, {"stop": True})["status"] == "open"
    control.post("price", symbol="ETHUSDT", price="2610")
    done = flat.fetch_order(stop["id"], PAIR, {"stop": True})
    assert done["status"] == "closed"
    assert flat.fetch_order(done["info"]["actualOrderId"], PAIR)["filled"] == 1
    assert flat.fetch_positions([PAIR]) == []
    with pytest.raises(ccxt.BaseError, match="-2021"):
        flat.create_order(PAIR, "market", "buy", 1, None, {"stopPrice": 2600, "reduceOnly": True})


def test_a_stop_can_be_cancelled_once(flat):
    """A waiting stop is withdrawn; a second attempt finds nothing."""
    short(flat)
    stop = flat.create_order(PAIR, "market", "buy", 1, None, {"stopPrice": 2600, "reduceOnly": True})
    flat.cancel_order(stop["id"], PAIR, {"stop": True})
    with pytest.raises(ccxt.OrderNotFound):
        flat.cancel_order(stop["id"], PAIR, {"stop": True})


def test_a_settling_perpetual_only_lets_out(flat, control):
    """A perpetual that is being delisted refuses entries and lets positions close."""
    short(flat)
    control.post("market", symbol="ETHUSDT", market="perp", status="SETTLING")
    assert flat.load_markets(reload=True)[PAIR]["active"] is False
    with pytest.raises(ccxt.BaseError, match="-4140"):
        flat.create_order(PAIR, "market", "sell", 1)
    assert flat.create_order(PAIR, "market", "buy", 1, params={"reduceOnly": True})["filled"] == 1


def test_hedge_and_multi_assets_mode_are_told(flat, control):
    """Account modes are shown as set, change through the API, and rule isolated margin."""
    assert flat.fetch_position_mode()["hedged"] is False
    control.post("account", dual_side=True, multi_assets=True)
    assert flat.fetch_position_mode()["hedged"] is True
    assert flat.fapiprivate_get_multiassetsmargin()["multiAssetsMargin"] is True
    with pytest.raises(ccxt.BaseError, match="-4168"):
        flat.set_margin_mode("isolated", PAIR)
    with pytest.raises(ccxt.BaseError, match="-4061"):
        flat.create_order(PAIR, "market", "sell", 1)
    flat.set_position_mode(False, PAIR)
    assert flat.fetch_position_mode()["hedged"] is False


def test_a_resting_order_can_be_modified(flat):
    """Price and quantity of a resting order change under the same id."""
    order = flat.create_order(PAIR, "limit", "sell", 1, 2550)
    changed = flat.edit_order(order["id"], PAIR, "limit", "sell", 2, 2560)
    assert (changed["id"], changed["amount"], changed["price"]) == (order["id"], 2, 2560)


def test_a_fee_that_the_free_wallet_lacks_comes_from_the_position(swap, spot, control):
    """With all money locked as margin, the fee is taken from the margin and the free wallet never goes below zero."""
    control.post("price", symbol="ETHUSDT", price="2500")
    control.post("book", symbol="ETHUSDT", market="perp", spread_bps="0", depth="10000000")
    short(swap, leverage=5)
    left = float(usdt(swap)["maxWithdrawAmount"])
    spot.transfer("USDT", left - 500.75, "swap", "spot")
    swap.create_order(PAIR, "market", "sell", 1)
    after = usdt(swap)
    assert after["crossWalletBalance"] == after["maxWithdrawAmount"] == 0
    assert Decimal(swap.fetch_positions([PAIR])[0]["info"]["isolatedWallet"]) == Decimal("999.50")
    assert control.books()["equity"]["faults"] == []


def test_a_short_needs_a_little_more_than_its_margin(flat, spot):
    """The margin of a new short is reckoned 0.15 % above the market: its bare margin is refused."""
    flat.set_leverage(5, PAIR)
    spot.transfer("USDT", 5000 - 500, "swap", "spot")
    with pytest.raises(ccxt.BaseError, match="-2019"):
        flat.create_order(PAIR, "market", "sell", 1)
    spot.transfer("USDT", 0.75, "spot", "swap")
    assert flat.create_order(PAIR, "market", "sell", 1)["filled"] == 1
