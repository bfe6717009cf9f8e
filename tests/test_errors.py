"""What became of a request that went wrong: every row of the table, through the real ccxt."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_fundhedge.errors import (
    CLASSES,
    CODES,
    UNSETTLED,
    BackOff,
    Denied,
    Insufficient,
    NoSuchOrder,
    NotSent,
    OutcomeUnknown,
    Rejected,
    VenueError,
    classify,
    exchange_code,
    redact,
)

OWN_HOST = "https://api.binance.com/sapi/v1/asset/transfer"
REDIRECTED = "http://127.0.0.1:1/sapi/v1/asset/transfer"


def subclasses(root: type) -> set[type]:
    return {root}.union(*(subclasses(child) for child in root.__subclasses__()))


CCXT_CLASSES = sorted((c for c in subclasses(ccxt.BaseError) if c.__module__ == "ccxt.base.errors"), key=str)


def test_the_table_knows_every_ccxt_class() -> None:
    """The table and ccxt have the same exception classes; a class that ccxt grows or drops fails here."""
    assert {c.__name__ for c in CCXT_CLASSES} == set(CLASSES)


@pytest.mark.parametrize("kind", CCXT_CLASSES, ids=lambda kind: kind.__name__)
def test_a_class_without_a_code_is_looked_up(kind: type[Exception]) -> None:
    """An error that says nothing but its class becomes exactly what the table says of that class."""
    assert type(classify(kind("venue POST https://venue.example/x"))) is CLASSES[kind.__name__]


def test_a_failed_operation_is_unknown_unless_it_says_otherwise() -> None:
    """Of ccxt's recoverable errors only rate limits and a wrong clock are refusals."""
    refusals = {"DDoSProtection", "RateLimitExceeded", "InvalidNonce"}
    for kind in subclasses(ccxt.OperationFailed):
        assert (CLASSES[kind.__name__] is OutcomeUnknown) is (kind.__name__ not in refusals), kind


def test_a_class_of_tomorrow_is_read_as_its_nearest_base() -> None:
    """A subclass that the table does not know counts as the nearest base that it knows."""

    class InsufficientMargin(ccxt.InsufficientFunds):
        pass

    assert type(classify(InsufficientMargin("venue no"))) is Insufficient


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("tranId"), TypeError("None"), OSError("odd")])
def test_what_is_not_of_ccxt_is_unknown(error: Exception) -> None:
    """An exception from anywhere else, after a send, says nothing about the send."""
    assert type(classify(error)) is OutcomeUnknown


def test_an_error_of_our_own_is_kept() -> None:
    """Classifying twice changes nothing."""
    error = BackOff("wait", "-1003", 3.0)
    assert classify(error) is error


def raised(status: int, body: str, url: str, authenticated: bool = False) -> ccxt.BaseError:
    """What ccxt raises for an answer, by the two calls that its own `fetch` makes."""
    exchange = ccxt.binance({"options": {"hasAlreadyAuthenticatedSuccessfully": authenticated}})
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    try:
        exchange.handle_errors(status, "Reason", url, "POST", {}, body, parsed, {}, "")
        exchange.handle_http_status_code(status, "Reason", url, "POST", body)
    except ccxt.BaseError as error:
        return error
    pytest.fail(f"ccxt took {status} {body} for a success")


def answer(code: int, message: str = "Said.") -> str:
    return json.dumps({"code": code, "msg": message})


ROWS = [
    *((400, answer(code), Insufficient) for code in (-5013, -5002, -5003, -3041, -4024, -4025, -4026)),
    (400, answer(-5013, "Asset transfer failed: insufficient balance"), Insufficient),
    (400, answer(-2010, "Account has insufficient balance for requested action."), Insufficient),
    (400, answer(-9999, "Not enough of it"), Insufficient),
    (400, answer(-1007, "Timeout waiting for response from backend server."), OutcomeUnknown),
    *((status, "<html>gateway</html>", OutcomeUnknown) for status in (408, 504, 500, 502, 503)),
    *((400, answer(code), OutcomeUnknown) for code in (-1000, -1001, -1004, -1006, -1008, -5010, -5012)),
    (400, answer(-1000, "Insufficient information"), OutcomeUnknown),
    (400, answer(-9999, "Something new."), OutcomeUnknown),
    (400, answer(-1021, "Timestamp for this request is outside of the recvWindow."), Rejected),
    (429, answer(-1003, "Too much request weight used"), BackOff),
    (429, "<html>slow down</html>", BackOff),
    (418, answer(-1003, "Way too much request weight used; IP banned"), BackOff),
    (400, answer(-1003, "Too many requests"), BackOff),
    *((401, answer(code), Denied) for code in (-1002, -1022, -2014, -2008, -2015)),
    *((400, answer(code), Rejected) for code in (-1102, -1111, -3020, -5001, -5007)),
    (400, answer(-2010, "Filter failure: MIN_NOTIONAL"), Rejected),
    (400, answer(-2013, "Order does not exist."), NoSuchOrder),
    (400, answer(-2010, "Duplicate order sent."), OutcomeUnknown),
    (400, answer(-4116, "ClientOrderId is duplicated."), OutcomeUnknown),
]


@pytest.mark.parametrize("url", [OWN_HOST, REDIRECTED], ids=["own host", "redirected"])
@pytest.mark.parametrize(("status", "body", "kind"), ROWS)
def test_an_answer_means_the_same_under_any_url(status: int, body: str, kind: type[VenueError], url: str) -> None:
    """Each row of the table holds at Binance's host names and away from them, where ccxt's classes are poorer."""
    assert type(classify(raised(status, body, url))) is kind


def test_a_redirected_url_hides_the_class_but_not_the_code() -> None:
    """Away from Binance's host names ccxt raises a bare ExchangeError; the code still says insufficient."""
    error = raised(400, answer(-5013), REDIRECTED)
    assert type(error) is ccxt.ExchangeError
    assert type(classify(error)) is Insufficient


def test_a_missing_permission_is_no_rate_limit() -> None:
    """-2015 comes as DDoSProtection once a private call has succeeded: the code, not the class, decides."""
    error = raised(401, answer(-2015, "Invalid API-key, IP, or permissions for action."), OWN_HOST, authenticated=True)
    assert type(error) is ccxt.DDoSProtection
    assert type(classify(error)) is Denied
    assert classify(error).code == "-2015"


def test_a_code_that_the_exchange_gave_is_an_answer() -> None:
    """An error with a code of the exchange's own did leave this machine, whatever its class."""
    assert type(classify(ccxt.NotSupported("binance " + answer(-1020)))) is Rejected
    assert type(classify(ccxt.NotSupported("binance transfer() is not supported"))) is NotSent


def test_back_off_carries_the_wait() -> None:
    """The seconds that the exchange asked for reach the caller; None when it did not say."""
    error = ccxt.RateLimitExceeded("binance 429 Too Many Requests " + answer(-1003))
    first = classify(error)
    error.retry_after_s = 7
    second = classify(error)
    assert isinstance(first, BackOff)
    assert first.retry_after_s is None
    assert isinstance(second, BackOff)
    assert second.retry_after_s == 7.0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('binance {"code":-5013,"msg":"x"}', "-5013"),
        ('binance 429 Too Many Requests {"code": "-1003"}', "-1003"),
        ('binance {"code":-2013,"msg":"x"} and more', "-2013"),
        ('bybit {"retCode":10001,"retMsg":"x"}', "10001"),
        ('bybit 504 {"retCode":10000, cut', "10000"),
        ('gate {"label":"REPEATED_CREATION","message":"x"}', "REPEATED_CREATION"),
        ('okx {"code":"1","data":[{"sCode":"51008","sMsg":"x"}],"msg":""}', "51008"),
        ('okx {"code":"50011","data":[],"msg":"Too Many Requests"}', "50011"),
        ("binance [1, 2]", ""),
        ("binance <html>{}</html>", ""),
        ("", ""),
    ],
)
def test_the_code_is_read_from_the_message(text: str, code: str) -> None:
    """ccxt has no field for the exchange's code; it stands in the message."""
    assert exchange_code(text) == code


@given(st.text(max_size=60), st.sampled_from(CCXT_CLASSES))
def test_no_message_breaks_the_classification(text: str, kind: type[Exception]) -> None:
    """Whatever an exchange writes, the answer is one of the family and never an exception."""
    assert isinstance(classify(kind(text)), VenueError)


def test_every_code_of_the_table_reads_as_it_says() -> None:
    """No word in a message moves a code away from what the table says of it."""
    for code, kind in CODES.items():
        assert type(classify(ccxt.ExchangeError(f'binance {{"code":{code},"msg":"said"}}'))) is kind


def body_of(exchange: str, code: str) -> dict[str, Any]:
    """How each exchange writes a code."""
    if exchange == "bybit":
        return {"retCode": int(code), "retMsg": "said", "result": {}}
    if exchange == "gate":
        return {"label": code, "message": "said"}
    if exchange == "okx":
        return {"code": "1", "data": [{"ordId": "", "sCode": code, "sMsg": "said"}], "msg": "All operations failed"}
    return {"code": code, "msg": "said", "data": None}


def of_ccxt(exchange: str, code: str) -> ccxt.BaseError:
    """What ccxt's class for the exchange raises for a code."""
    api, body = getattr(ccxt, exchange)(), body_of(exchange, code)
    with pytest.raises(ccxt.BaseError) as caught:
        api.handle_errors(200, "OK", "https://venue.example/order", "POST", {}, json.dumps(body), body, {}, "")
    return caught.value


@pytest.mark.parametrize(
    ("exchange", "code"), [(name, code) for name, codes in UNSETTLED.items() for code in sorted(codes)]
)
def test_what_is_there_already_was_not_refused(exchange: str, code: str) -> None:
    """A duplicate, or an exchange that timed out inside, says that the first attempt may live, whatever ccxt says."""
    error = of_ccxt(exchange, code)
    assert type(classify(error)) is OutcomeUnknown
    assert classify(error).code == code


@pytest.mark.parametrize(
    ("exchange", "code", "kind"),
    [
        ("bybit", "131212", Insufficient), ("bybit", "170131", Insufficient), ("bybit", "110007", Insufficient),
        ("bybit", "10005", Denied), ("bybit", "10010", Denied), ("bybit", "10006", BackOff),
        ("bybit", "10002", Rejected),
        ("bybit", "10000", OutcomeUnknown), ("bybit", "10016", OutcomeUnknown), ("bybit", "999999", OutcomeUnknown),
        ("okx", "51008", Insufficient), ("okx", "50110", Denied), ("okx", "50011", BackOff), ("okx", "50102", Rejected),
        ("okx", "51603", NoSuchOrder), ("okx", "50004", OutcomeUnknown), ("okx", "99999", OutcomeUnknown),
        ("bitget", "43012", Insufficient), ("bitget", "40762", Insufficient), ("bitget", "40014", Denied),
        ("bitget", "429", BackOff), ("bitget", "40008", Rejected), ("bitget", "99999", OutcomeUnknown),
        ("gate", "BALANCE_NOT_ENOUGH", Insufficient), ("gate", "FORBIDDEN", Denied),
        ("gate", "TOO_MANY_REQUESTS", BackOff),
        ("gate", "ORDER_NOT_FOUND", NoSuchOrder), ("gate", "SERVER_ERROR", OutcomeUnknown),
        ("gate", "SOMETHING_NEW", OutcomeUnknown),
        ("kucoin", "230003", Insufficient), ("kucoin", "400007", Denied), ("kucoin", "429000", BackOff),
        ("kucoin", "400002", Rejected), ("kucoin", "999999", OutcomeUnknown),
    ],
)  # fmt: skip
def test_other_exchanges_are_read_by_ccxts_tables(exchange: str, code: str, kind: type[VenueError]) -> None:
    """Balance, permission, rate limit and clock are refusals on every exchange; a code that nobody knows is unknown."""
    assert type(classify(of_ccxt(exchange, code))) is kind


HIDDEN = "Zq9veryprivateZq9"


@pytest.mark.parametrize(
    "text",
    [
        f"binance POST https://api.binance.com/sapi/v1/asset/transfer?asset=USDT&signature={HIDDEN}",
        f"headers {{'X-MBX-APIKEY': '{HIDDEN}', 'a': 'b'}}",
        f'{{"apiKey": "{HIDDEN}", "secret": "{HIDDEN}"}}',
        f'{{"secretKey":"{HIDDEN}","passphrase":"{HIDDEN}","password":"{HIDDEN}"}}',
        f"api_key={HIDDEN}&listenKey={HIDDEN}&x=1",
        f"proxy http://user:{HIDDEN}@proxy.example:3128 refused",
    ],
)
def test_secrets_stay_out_of_errors(text: str) -> None:
    """Keys, secrets and signatures never reach a log line or a journal row."""
    assert HIDDEN not in redact(text)
    assert HIDDEN not in str(classify(ccxt.NetworkError(text)))
    assert "***" in redact(text)


def test_what_is_no_secret_stays() -> None:
    """Redaction leaves the rest of the text readable, and short enough for a log line."""
    assert redact("asset=USDT&signature=abc&amount=5") == "asset=USDT&signature=***&amount=5"
    assert len(redact("x" * 9000)) == 500


@dataclass
class Wire:
    """A loopback server that reads one request per connection and answers with fixed bytes, or not at all."""

    port: int
    answer: bytes | None
    hold: threading.Event = field(default_factory=threading.Event)
    requests: list[bytes] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                self.requests.append(_one_request(connection))
                if self.answer is None:
                    self.hold.wait(5)
                else:
                    connection.sendall(self.answer)


def _one_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return head + body


@contextmanager
def wire(answer: bytes | None) -> Iterator[Wire]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Wire(listener.getsockname()[1], answer)
        thread = threading.Thread(target=server.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.hold.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def send(port: int, timeout_ms: int = 3000) -> Any:
    """One transfer through the real ccxt and its real HTTP client."""
    exchange = ccxt.binance({"apiKey": "k", "secret": HIDDEN, "timeout": timeout_ms})
    exchange.urls["api"]["sapi"] = f"http://127.0.0.1:{port}/sapi/v1"
    try:
        order = {"type": "UMFUTURE_MAIN", "asset": "USDT", "amount": "1"}
        return exchange.sapi_post_asset_transfer(order)
    finally:
        exchange.session.close()


def outcome(port: int, timeout_ms: int = 3000) -> VenueError:
    with pytest.raises(ccxt.BaseError) as caught:
        send(port, timeout_ms)
    return classify(caught.value)


def http(status: str, body: str, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


def test_a_request_that_never_connected_was_not_sent() -> None:
    """A closed port is the one network failure that proves that nothing left this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert type(outcome(port)) is NotSent


def test_a_connection_closed_after_the_send_is_unknown() -> None:
    """The exchange took the request and closed without an answer: it may have acted on it. One request was sent."""
    with wire(b"") as server:
        assert type(outcome(server.port)) is OutcomeUnknown
    assert len(server.requests) == 1


def test_a_time_out_after_the_send_is_unknown() -> None:
    """No answer within the time-out says nothing about what the exchange did. One request was sent."""
    with wire(None) as server:
        assert type(outcome(server.port, timeout_ms=300)) is OutcomeUnknown
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (http("503 Service Unavailable", "<html>busy</html>", "text/html"), OutcomeUnknown),
        (http("504 Gateway Timeout", "<html>late</html>", "text/html"), OutcomeUnknown),
        (http("429 Too Many Requests", "<html>slow</html>", "text/html"), BackOff),
        (http("418 I'm a teapot", answer(-1003)), BackOff),
        (http("400 Bad Request", answer(-5013)), Insufficient),
        (http("401 Unauthorized", answer(-2015)), Denied),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", OutcomeUnknown),
    ],
)
def test_an_answer_over_the_wire(reply: bytes, kind: type[VenueError]) -> None:
    """The same table holds for answers that come through sockets, and each is the answer to one request."""
    with wire(reply) as server:
        error = outcome(server.port)
    assert type(error) is kind
    assert HIDDEN not in str(error)
    assert b"signature=" in server.requests[0]
    assert len(server.requests) == 1


def test_a_page_with_status_200_is_no_error_to_ccxt() -> None:
    """HTML with status 200 raises nothing and carries no id: whoever sends must treat a missing id as unknown."""
    with wire(http("200 OK", "<html>maintenance</html>", "text/html")) as server:
        said = send(server.port)
    assert ccxt.binance().parse_transfer(said if isinstance(said, dict) else {})["id"] is None
    assert len(server.requests) == 1
