"""Injected faults: what the client sees, and what was applied all the same."""

from __future__ import annotations

import time

import ccxt
import pytest

TRANSFER = "/sapi/v1/asset/transfer"


def applied(control) -> int:
    return len(control.books()["transfers"])


@pytest.mark.parametrize(
    ("fault", "error", "count"),
    [
        ({"kind": "error", "code": -1007, "msg": "Timeout waiting."}, ccxt.RequestTimeout, 0),
        ({"kind": "error", "code": -5013, "msg": "Asset transfer failed: insufficient balance"}, ccxt.ExchangeError, 0),
        ({"kind": "error_after", "code": -1001, "msg": "Internal error."}, ccxt.OperationFailed, 1),
        ({"kind": "http", "status": 502, "body": "html"}, ccxt.ExchangeNotAvailable, 0),
        ({"kind": "http", "status": 503, "body": "empty"}, ccxt.ExchangeNotAvailable, 0),
        ({"kind": "http", "status": 504, "body": "html"}, ccxt.RequestTimeout, 0),
        ({"kind": "http_after", "status": 502, "body": "html"}, ccxt.ExchangeNotAvailable, 1),
        ({"kind": "limit", "retry_after": 3}, ccxt.DDoSProtection, 0),
        ({"kind": "limit", "status": 418, "retry_after": 3}, ccxt.DDoSProtection, 0),
        ({"kind": "drop_before"}, ccxt.NetworkError, 0),
        ({"kind": "drop_after"}, ccxt.NetworkError, 1),
        ({"kind": "cut_after"}, ccxt.NetworkError, 1),
    ],
)
def test_a_fault_hits_once_and_only_what_it_matches(spot, control, fault, error, count):
    """The client sees the fault's error; the transfer was applied exactly when the kind says so; then all is well."""
    control.fault(path=TRANSFER, method="POST", **fault)
    with pytest.raises(error):
        spot.transfer("USDT", 5, "spot", "swap")
    assert applied(control) == count
    entry = control.requests("POST", TRANSFER)[-1]
    assert entry["fault"] == fault["kind"]
    assert (entry["applied"] is None) == (count == 0)
    spot.transfer("USDT", 6, "spot", "swap")
    assert applied(control) == count + 1
    assert control.count("POST", TRANSFER) == 2
    assert control.books()["equity"]["faults"] == []


def test_an_empty_answer_loses_the_id(spot, control):
    """A 200 with an empty body after the transfer: ccxt raises nothing and has no id."""
    control.fault("empty_after", TRANSFER)
    assert spot.transfer("USDT", 5, "spot", "swap")["id"] is None
    assert applied(control) == 1


def test_a_hang_is_a_time_out_for_the_client(connect, control):
    """A request that hangs past the client's patience times out; the order was filled."""
    client = connect("spot", timeout=400)
    client.load_markets()
    control.fault("drop_after", "/api/v3/order", seconds=1)
    with pytest.raises(ccxt.RequestTimeout):
        client.create_order("BTC/USDT", "market", "buy", 0.01, params={"clientOrderId": "lost"})
    assert client.fetch_order("", "BTC/USDT", {"origClientOrderId": "lost"})["filled"] == 0.01


def test_a_delay_is_before_the_application(spot, control):
    """A delayed request is applied late and answered well."""
    control.fault("delay", "/api/v3/account", seconds=0.3)
    spot.fetch_balance()
    entry = control.requests("GET", "/api/v3/account")[-1]
    assert entry["applied"] - entry["received"] >= 300
    assert entry["status"] == 200


def test_latency_is_added_to_each_request(spot, control):
    """Global latency delays every request until it is cleared."""
    control.post("latency", ms=120)
    start = time.monotonic()
    spot.public_get_time()
    assert time.monotonic() - start >= 0.12
    control.clear_faults()
    start = time.monotonic()
    spot.public_get_time()
    assert time.monotonic() - start < 0.12


def test_a_fault_can_wait_count_and_pick(spot, control):
    """`skip` lets requests pass first, `times` limits hits, `params` narrows the match."""
    control.fault("error", TRANSFER, method="POST", skip=1, times=2, params={"asset": "USDT", "type": "MAIN_.*"})
    outcomes = []
    for target in ("swap", "swap", "swap", "swap"):
        try:
            spot.transfer("USDT", 1, "spot", target)
            outcomes.append(True)
        except ccxt.OperationFailed:
            outcomes.append(False)
    assert outcomes == [True, False, False, True]
    control.fault("error", TRANSFER, method="POST", params={"type": "MAIN_.*"})
    spot.transfer("USDT", 1, "swap", "spot")
    assert control.get("faults")[-1]["hits"] == 0


def test_chance_repeats_with_its_seed(spot, control):
    """A fraction of requests fails, the same ones every time the dice start again."""
    runs = []
    for _ in range(2):
        control.clear_faults()
        control.fault("http", "/api/v3/time", probability=0.4, times=None, status=500)
        run = []
        for _ in range(30):
            try:
                spot.public_get_time()
                run.append(True)
            except ccxt.ExchangeNotAvailable:
                run.append(False)
        runs.append(run)
    assert runs[0] == runs[1]
    assert 5 < runs[0].count(False) < 20


def test_the_log_keeps_no_secrets(spot, control):
    """The request log has parameters and client ids, never the signature or the key."""
    spot.create_order("BTC/USDT", "market", "buy", 0.01, params={"clientOrderId": "seen"})
    entry = control.requests("POST", "/api/v3/order")[-1]
    assert entry["client_id"] == "seen"
    assert entry["params"]["quantity"] == "0.01"
    assert entry["received"] <= entry["applied"] <= entry["answered"]
    text = str(control.requests())
    assert "signature" not in text
    assert "sandbox-key" not in text
    control.clear_requests()
    assert control.requests() == []


def test_unknown_paths_are_told(connect, control, caplog):
    """What the sandbox does not have is a 404 that says so, in the answer and in the log."""
    client = connect()
    with pytest.raises(ccxt.BaseError):
        client.sapi_get_simple_earn_account()
    assert control.requests()[-1]["status"] == 404
    assert "sandbox has no GET /sapi/v1/simple-earn/account" in caplog.text


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("faults", {"kind": "explode", "path": ".*"}),
        ("faults", {"kind": "error", "path": "("}),
        ("faults", {"kind": "error", "path": ".*", "often": 1}),
        ("price", {"symbol": "BTCUSDT", "price": "-1"}),
        ("price", {"symbol": "NOPEUSDT", "price": "1"}),
        ("price", {"price": "1"}),
        ("fees", {"spot": "1"}),
        ("permissions", {"enableEverything": True}),
        ("balance", {"asset": "USDT", "amount": "-1000000"}),
        ("balance", {"asset": "USDT", "amount": "1", "wallet": "savings"}),
        ("balance", {"asset": "BTC", "amount": "1", "wallet": "futures"}),
        ("balance", {"asset": "NOPE", "amount": "1"}),
        ("funding", {"symbol": "BTCUSDT", "interval_hours": 0}),
        ("fill", {"market": "spot", "order_id": 1, "quantity": "1"}),
        ("position", {"symbol": "BTCUSDT", "action": "close"}),
        ("nothing", {}),
    ],
)
def test_wrong_control_requests_are_refused(control, name, body):
    """A wrong control request says what is wrong and changes nothing."""
    from freqtrade_fundhedge.sandbox import ControlError

    with pytest.raises(ControlError, match="error"):
        control.post(name, **body)
    assert control.books()["equity"]["total"] == "15000"
