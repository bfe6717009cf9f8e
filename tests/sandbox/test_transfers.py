"""Wallet transfers through real ccxt."""

from __future__ import annotations

import time
from decimal import Decimal

import ccxt
import pytest


def wallets(control) -> tuple[Decimal, Decimal]:
    books = control.books()
    return Decimal(books["spot"]["USDT"]["total"]), Decimal(books["futures"]["walletBalance"])


def test_a_transfer_moves_exactly_its_amount(spot, control):
    """Both directions move the amount to the last digit and keep the sum."""
    spot.transfer("USDT", 1234.56789012, "spot", "swap")
    assert wallets(control) == (Decimal("8765.43210988"), Decimal("6234.56789012"))
    spot.transfer("USDT", 6234.56789012, "swap", "spot")
    assert wallets(control) == (Decimal("15000"), Decimal(0))


def test_no_more_than_is_withdrawable_now(spot, swap, control):
    """Margin of an open short can't be transferred: Binance's own error, and nothing moves."""
    swap.set_margin_mode("isolated", "ETH/USDT:USDT")
    swap.set_leverage(2, "ETH/USDT:USDT")
    swap.create_order("ETH/USDT:USDT", "market", "sell", 1)
    most = swap.fetch_balance()["info"]["maxWithdrawAmount"]
    before = wallets(control)
    with pytest.raises(ccxt.BaseError, match="-5013"):
        spot.transfer("USDT", float(most) + 0.01, "swap", "spot")
    assert wallets(control) == before
    spot.transfer("USDT", float(most), "swap", "spot")
    assert swap.fetch_balance()["info"]["maxWithdrawAmount"] == "0.00000000"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"amount": "0"}, -5007),
        ({"amount": ""}, -1102),
        ({"amount": "-1"}, -1100),
        ({"amount": "1.123456789"}, -1111),
        ({"asset": "NOPE"}, -5003),
        ({"asset": "BTC"}, -5001),
        ({"type": ""}, -1102),
        ({"type": "MAIN_ISOLATED_MARGIN"}, -3003),
        ({"amount": "10000.00000001"}, -5013),
    ],
)
def test_wrong_transfers_are_refused(spot, control, params, code):
    """Each wrong transfer has its code, and nothing moves."""
    before = wallets(control)
    with pytest.raises(ccxt.BaseError):
        spot.sapi_post_asset_transfer({"type": "MAIN_UMFUTURE", "asset": "USDT", "amount": "1"} | params)
    assert control.requests("POST", "/sapi/v1/asset/transfer")[-1]["code"] == code
    assert wallets(control) == before


def test_history_is_one_direction_newest_first_in_whole_seconds(spot):
    """The history lists one type, newest first, with whole-second times and exact amounts."""
    for amount in (1.5, 2.25):
        spot.transfer("USDT", amount, "spot", "swap")
    spot.transfer("USDT", 3, "swap", "spot")
    answer = spot.sapi_get_asset_transfer({"type": "MAIN_UMFUTURE"})
    assert answer["total"] == 2
    assert [row["amount"] for row in answer["rows"]] == ["2.25", "1.5"]
    assert {row["status"] for row in answer["rows"]} == {"CONFIRMED"}
    assert all(row["timestamp"] % 1000 == 0 for row in answer["rows"])
    assert [row["amount"] for row in spot.fetch_transfers("USDT", params={"type": "UMFUTURE_MAIN"})] == [3]


def test_history_is_paged_and_bounded(spot):
    """Pages have the size asked for; times bound the list; too long ago is refused."""
    for number in range(1, 13):
        spot.transfer("USDT", number, "spot", "swap")
    ask = spot.sapi_get_asset_transfer
    assert len(ask({"type": "MAIN_UMFUTURE"})["rows"]) == 10
    assert [r["amount"] for r in ask({"type": "MAIN_UMFUTURE", "current": 3, "size": 5})["rows"]] == ["2", "1"]
    assert ask({"type": "MAIN_UMFUTURE", "endTime": int(time.time() * 1000) - 60_000})["rows"] == []
    with pytest.raises(ccxt.BaseError):
        ask({"type": "MAIN_UMFUTURE", "size": 101})
    with pytest.raises(ccxt.BaseError):
        ask({"type": "MAIN_UMFUTURE", "startTime": 1})


def test_history_can_lag(spot, control):
    """A transfer that moved money may not be listed yet: an empty history proves nothing."""
    control.post("transfers", lag_s=0.5)
    spot.transfer("USDT", 7, "spot", "swap")
    assert spot.fetch_transfers("USDT", params={"type": "MAIN_UMFUTURE"}) == []
    assert wallets(control)[1] == 5007
    deadline = time.monotonic() + 5
    while not spot.fetch_transfers("USDT", params={"type": "MAIN_UMFUTURE"}):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_pending_transfer_moves_when_it_is_confirmed(spot, control):
    """PENDING and FAILED transfers move nothing; confirming one does."""
    control.post("transfers", next_status=["PENDING", "FAILED"])
    first = spot.transfer("USDT", 5, "spot", "swap")
    spot.transfer("USDT", 6, "spot", "swap")
    assert wallets(control) == (10000, 5000)
    shown = [row["status"] for row in spot.fetch_transfers("USDT", params={"type": "MAIN_UMFUTURE"})]
    assert sorted(shown) == ["FAILED", "PENDING"]
    control.post("transfers", id=first["id"], status="CONFIRMED")
    assert wallets(control) == (9995, 5005)


def test_transfers_show_in_income(spot, swap):
    """What came into and left the futures wallet is in its income history."""
    spot.transfer("USDT", 4, "spot", "swap")
    rows = swap.fapiprivate_get_income({"incomeType": "TRANSFER"})
    assert [row["income"] for row in rows] == ["4.00000000"]
