"""Every exchange but Binance: the requests that leave a real ccxt, and what is made of the documented answers.

Recorded shapes only: none of this has met the real exchange.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal as D
from typing import Any

import pytest
from recorded import expected
from recorded.common import NOW_MS
from recorded.kinds import KINDS, Kind
from recorded.wire import Request, Wire, api_of

from freqtrade_fundhedge.core.margin import liquidation_distances
from freqtrade_fundhedge.errors import NoSuchOrder, NotSent, OutcomeUnknown, VenueError
from freqtrade_fundhedge.venue.keys import transfer_key
from freqtrade_fundhedge.venue.live import LiveVenue
from freqtrade_fundhedge.venue.port import (
    Direction,
    Evidence,
    MarginKind,
    OrderRequest,
    ShortEntry,
    Side,
    TransferRequest,
)

BY_NAME = {kind.name: kind for kind in KINDS}
CLASSIC = [kind for kind in KINDS if not kind.unified]
UNIFIED = [kind for kind in KINDS if kind.unified]


@dataclass
class Desk:
    """A live venue on a recorded wire."""

    kind: Kind
    venue: LiveVenue
    wire: Wire

    def order(self) -> OrderRequest:
        """One tenth BTC on spot, at once or not at all."""
        return OrderRequest(expected.ORDER, self.venue.market(self.kind.pair), Side.BUY, D("0.1"), D(50_100))

    def transfer(self, direction: Direction) -> TransferRequest:
        """An amount that nobody else has."""
        return TransferRequest(expected.TRANSFER, direction, self.kind.stake, D("12.345678"))


def desk_of(kind: Kind, **changed: Any) -> Desk:
    api, wire = api_of(kind.exchange, kind.markets(), {**copy.deepcopy(kind.answers), **changed})
    api.currencies = {kind.stake: {"id": kind.stake, "code": kind.stake, "precision": 0.000001}}
    return Desk(kind, LiveVenue(api, api, kind.stake, lambda: NOW_MS / 1000), wire)


@pytest.fixture
def desk(request: pytest.FixtureRequest) -> Desk:
    """A desk at the kind of account that the test is parametrised with."""
    return desk_of(request.param)


each = pytest.mark.parametrize("desk", KINDS, ids=lambda kind: kind.name, indirect=True)
each_classic = pytest.mark.parametrize("desk", CLASSIC, ids=lambda kind: kind.name, indirect=True)
each_unified = pytest.mark.parametrize("desk", UNIFIED, ids=lambda kind: kind.name, indirect=True)


def in_words(value: object) -> str:
    """A parameter in the name of its test: never an address, which differs between processes."""
    return "change" if callable(value) else str(value)[:40]


def fits(request: Request, what: str, fields: dict[str, Any]) -> bool:
    return request.what == what and all(request.fields.get(name) == value for name, value in fields.items())


def check(sent: Sequence[Request], wanted: expected.Wanted) -> None:
    """As many requests as wanted, in that order, each with these fields."""
    assert [request.what for request in sent] == [what for what, _ in wanted]
    for request, (what, fields) in zip(sent, wanted, strict=True):
        assert fits(request, what, fields), (request, fields)


@each
def test_the_account_is_read_in_few_requests(desk: Desk) -> None:
    """One pool or two wallets, and the short with its margins in base units and quote, whatever it is counted in."""
    kind, account = desk.kind, desk.venue.futures_account()
    check(desk.wire.take(), expected.ACCOUNT[kind.name])
    assert (account.wallet, account.free, account.withdrawable) == (kind.wallet, kind.free, kind.withdrawable)
    (short,) = account.positions
    assert (short.pair, short.quantity, short.notional, short.is_short) == (kind.pair, D("0.1"), D(5000), True)
    assert (short.isolated_margin, short.unrealised) == (D(1700), D(-200))
    assert short.maintenance_margin == pytest.approx(kind.maintenance, abs=D("0.001"))
    assert liquidation_distances(account)[kind.pair] == pytest.approx(D("0.29"), abs=D("0.01"))


@each
def test_the_account_says_whether_it_is_one(desk: Desk) -> None:
    """The account itself is asked, once."""
    assert desk.venue.separate_wallets is not desk.kind.unified
    asked = len(desk.wire.take())
    assert desk.venue.separate_wallets is not desk.kind.unified
    assert not desk.wire.take()
    assert asked == len(expected.ACCOUNT[desk.kind.name]) - 2


@pytest.mark.parametrize("name", ["bitget unified", "gate unified", "bybit unified", "hyperliquid unified"])
def test_no_answer_is_no_kind_of_account(name: str) -> None:
    """ccxt takes an error for a classic account and would trade there; here nothing is known, and nothing is sent."""
    kind = BY_NAME[name]
    first = expected.ACCOUNT[name][0]
    broken = " ".join(filter(None, (first[0], first[1].get("type"))))
    odd = {"code": "50000", "retCode": 10016, "label": "SERVER_ERROR", "msg": "later", "error": "later"}
    desk = desk_of(kind, **{broken: odd, "GET /api/v2/spot/account/info": odd})
    for attempt in (
        lambda: desk.venue.separate_wallets,
        desk.venue.futures_account,
        lambda: desk.venue.send_order(desk.order()),
    ):
        with pytest.raises(VenueError):
            attempt()
    assert not any("order" in request.path or "exchange" in request.path for request in desk.wire.take())


@each
def test_spot_is_what_may_be_spent(desk: Desk) -> None:
    """The free stake currency of a pool is the same on either side; a classic spot wallet has its own."""
    balances = desk.venue.spot_balances()
    if desk.kind.unified:
        assert balances[desk.kind.stake] == desk.venue.futures_account().free
        assert balances["BTC"] == D("0.1")
    elif desk.kind.exchange != "bybit":
        assert balances == {"USDT": D(4000), "BTC": D("0.1")}
    else:
        assert any(fits(r, "GET /v5/account/wallet-balance", {"accountType": "SPOT"}) for r in desk.wire.take())


@each
def test_an_order_leaves_once_and_is_read_back_by_our_id(desk: Desk) -> None:
    """Immediate or cancel, on spot, under our id; its trades give quantity, price and the fee in the coin bought."""
    desk.venue.futures_account()
    desk.wire.take()
    fill = desk.venue.send_order(desk.order())
    check(desk.wire.take(), expected.SPOT_ORDER[desk.kind.name])
    assert (fill.quantity, fill.quote, fill.fees) == (D("0.1"), D(5000), {"BTC": D("0.0001")})
    evidence, again = desk.venue.find_order(desk.order())
    assert (evidence, again) == (Evidence.APPLIED, fill)
    check(desk.wire.take(), expected.SPOT_ORDER[desk.kind.name][1:])


MISSING: dict[str, dict[str, Any]] = {
    "bybit": {"GET /v5/order/realtime": {"retCode": 0, "result": {"list": []}},
              "GET /v5/order/history": {"retCode": 0, "result": {"list": []}}},
    "okx": {"GET /api/v5/trade/order": {"code": "51603", "msg": "Order does not exist", "data": []}},
    "bitget": {"GET /api/v2/spot/trade/orderInfo": {"code": "00000", "msg": "success", "data": []},
               "GET /api/v3/trade/order-info": {"code": "43001", "msg": "The order does not exist", "data": None}},
    "gate": {"GET /api/v4/spot/orders/*": {"label": "ORDER_NOT_FOUND", "message": "Order not found"},
             "GET /api/v4/spot/orders": []},
    "kucoin": {"GET /api/v1/order/client-order/*": {"code": "100001", "msg": "error.getOrder.orderNotExist"}},
    "hyperliquid": {"POST /info orderStatus": {"status": "unknownOid"}},
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_order_that_nobody_knows_is_not_seen(kind: Kind) -> None:
    """Each exchange's own way to say that there is no such order: evidence towards absent, never a failure."""
    desk = desk_of(kind, **MISSING[kind.exchange])
    assert desk.venue.find_order(desk.order()) == (Evidence.NOT_SEEN, None)


def test_after_a_restart_of_the_exchange_bybits_history_is_asked() -> None:
    """Bybit's recent orders are empty then; the history still knows ours."""
    desk = desk_of(BY_NAME["bybit unified"], **{"GET /v5/order/realtime": MISSING["bybit"]["GET /v5/order/realtime"]})
    assert desk.venue.find_order(desk.order())[0] is Evidence.APPLIED
    assert [r.path for r in desk.wire.take()][1:3] == ["/v5/order/realtime", "/v5/order/history"]


def test_an_hour_after_its_end_gates_order_is_found_in_the_list() -> None:
    """Gate forgets our id, but the list of finished orders still shows it."""
    kind = BY_NAME["gate classic"]
    listed = [{**kind.answers["GET /api/v4/spot/orders"][0], "text": f"t-{expected.PLAIN}"}]
    gone = {"GET /api/v4/spot/orders/*": MISSING["gate"]["GET /api/v4/spot/orders/*"]}
    desk = desk_of(kind, **gone, **{"GET /api/v4/spot/orders": listed})
    assert desk.venue.find_order(desk.order())[0] is Evidence.APPLIED
    assert any(fits(r, "GET /api/v4/spot/orders", {"status": "finished", "limit": "100"}) for r in desk.wire.take())


@each_classic
def test_a_transfer_leaves_once_with_its_key(desk: Desk) -> None:
    """The exchange's own wallet names, the exact amount, and our key where it takes one."""
    desk.venue.futures_account()
    for direction, wanted in ((Direction.SWEEP, expected.SWEEP), (Direction.TOP_UP, expected.TOP_UP)):
        desk.wire.take()
        assert desk.venue.send_transfer(desk.transfer(direction))
        check(desk.wire.take(), wanted[desk.kind.name])


@each_unified
def test_one_account_never_transfers(desk: Desk) -> None:
    """Where both sides are one pool a transfer is refused here, and nothing leaves."""
    desk.venue.futures_account()
    desk.wire.take()
    for direction in Direction:
        with pytest.raises(NotSent):
            desk.venue.send_transfer(desk.transfer(direction))
        assert desk.venue.transfers(direction, desk.kind.stake, expected.SINCE) == ()
    assert desk.venue.wallet_flows(desk.kind.stake, expected.SINCE) == 0
    assert not desk.wire.take()


@each_classic
def test_the_history_shows_the_transfer(desk: Desk) -> None:
    """Sweeps only, exact amounts, done or not; with our key where the exchange lists it."""
    kind = desk.kind
    if key := transfer_key(kind.exchange, expected.TRANSFER):
        for name, body in desk.wire.answers.items():
            if "ransfer" in name and not callable(body):
                desk.wire.answers[name] = _with_key(body, key)
    desk.venue.futures_account()
    desk.wire.take()
    (record,) = desk.venue.transfers(Direction.SWEEP, "USDT", expected.SINCE)
    check(desk.wire.take(), expected.HISTORY[kind.name])
    assert (record.direction, record.asset, record.amount) == (Direction.SWEEP, "USDT", D("12.345678"))
    assert (record.at, record.evidence, record.client_key) == (NOW_MS / 1000, Evidence.APPLIED, key)
    assert record.exchange_id


def _with_key(body: Any, key: str) -> Any:
    if isinstance(body, dict):
        return {name: _with_key(value, key) for name, value in body.items()}
    if isinstance(body, list):
        return [_with_key(value, key) for value in body]
    return body.replace("KEY", key) if isinstance(body, str) else body


@each_classic
def test_flows_leave_transfers_out(desk: Desk) -> None:
    """Funding less fees as the futures wallet's ledger booked them: the second witness of a lost transfer."""
    desk.venue.futures_account()
    desk.wire.take()
    assert desk.venue.wallet_flows("USDT", expected.SINCE) == D("1.25")
    check(desk.wire.take(), expected.FLOWS[desk.kind.name])


@each
def test_margin_is_moved_by_the_exchanges_own_call(desk: Desk) -> None:
    """Once in, once out, for the short of the pair."""
    desk.venue.futures_account()
    for kind, wanted in zip(MarginKind, expected.MARGIN[desk.kind.name], strict=True):
        desk.wire.take()
        desk.venue.change_margin(desk.kind.pair, kind, D(50))
        check(desk.wire.take(), [wanted])


@each
def test_a_short_is_bought_back_in_the_exchanges_contracts(desk: Desk) -> None:
    """Reduce-only, under our id, and what was filled comes back in base units."""
    desk.venue.futures_account()
    desk.wire.take()
    assert desk.venue.close_short(desk.kind.pair, D("0.1"), "fh-close") == D("0.1")
    check(desk.wire.take(), expected.CLOSE[desk.kind.name])
    assert desk.venue.find_close(desk.kind.pair, "fh-close") == (Evidence.APPLIED, D("0.1"))


@each
def test_entries_are_orders_that_sold(desk: Desk) -> None:
    """In base units, with their time."""
    assert desk.venue.entries(desk.kind.pair, expected.SINCE) == [ShortEntry(D("0.1"), D("0.1"), NOW_MS / 1000)]


@pytest.mark.parametrize("exchange", sorted(expected.FUNDING))
def test_funding_of_all_pairs_is_one_request(exchange: str) -> None:
    """With the exchange's own interval; eight hours are never assumed where it says otherwise."""
    kind = next(kind for kind in KINDS if kind.exchange == exchange)
    desk = desk_of(kind)
    quotes = desk.venue.funding()
    check(desk.wire.take(), [expected.FUNDING[exchange]])
    assert quotes[kind.pair].interval_h == kind.interval_h
    assert quotes[kind.pair].rate == pytest.approx(0.0000125 if exchange == "hyperliquid" else 0.0001)


def test_an_answer_without_a_result_leaves_the_order_unknown() -> None:
    """An accepted order whose lookup does not know it yet was not refused."""
    desk = desk_of(BY_NAME["bybit unified"], **MISSING["bybit"])
    with pytest.raises(OutcomeUnknown):
        desk.venue.send_order(desk.order())


def test_kucoins_invented_state_is_not_believed() -> None:
    """ccxt calls each new KuCoin order closed; a lookup that finds nothing keeps it unknown."""
    desk = desk_of(BY_NAME["kucoin classic"], **MISSING["kucoin"])
    with pytest.raises(OutcomeUnknown):
        desk.venue.send_order(desk.order())


def test_hyperliquid_signs_nothing_but_the_order() -> None:
    """Neither the fee nor the referrer that ccxt would have approved before a first order."""
    desk = desk_of(BY_NAME["hyperliquid unified"])
    desk.venue.send_order(desk.order())
    actions = [r.fields["action"]["type"] for r in desk.wire.take() if r.path == "/exchange"]
    assert actions == ["order"]


def _bybit(**changed: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda answer: {**answer, "result": {**answer["result"], **changed}}


def _data(**changed: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda answer: {**answer, "data": {**answer["data"], **changed}}


def _first(**changed: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda answer: {**answer, "data": [{**answer["data"][0], **changed}]}


def _perms(*perms: dict[str, Any]) -> Callable[[list[Any]], list[Any]]:
    return lambda answer: [answer[0], {**answer[1], "perms": list(perms)}]


SPOT_ONLY = {"ContractTrade": [], "Spot": ["SpotTrade"], "Wallet": ["AccountTransfer"]}
WITHDRAWS = {"ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"], "Wallet": ["AccountTransfer", "Withdraw"]}
NO_WALLET = {**WITHDRAWS, "Wallet": []}
WRITE = {"read_only": False}
FULL = [{"name": name, **WRITE} for name in ("spot", "futures", "wallet")]
KEYS, INFO, CONFIG = "GET /v5/user/query-api", "GET /api/v3/account/info", "GET /api/v5/account/config"
MAIN, CLASSIC_INFO = "GET /api/v4/account/main_keys", "GET /api/v2/spot/account/info"
REFUSED: list[tuple[str, str, Any, str]] = [
    ("bybit unified", KEYS, _bybit(permissions=WITHDRAWS), "may withdraw"),
    ("bybit unified", KEYS, _bybit(permissions=SPOT_ONLY), "may not trade futures"),
    ("bybit unified", KEYS, _bybit(readOnly=1), "may not write"),
    ("bybit unified", "GET /v5/account/info", _bybit(marginMode="REGULAR_MARGIN"), "Isolated Margin"),
    ("bybit classic", KEYS, _bybit(permissions=NO_WALLET), "may not move USDT"),
    ("okx unified", CONFIG, _first(perm="read_only,trade,withdraw"), "may withdraw"),
    ("okx unified", CONFIG, _first(perm="read_only"), "may not trade"),
    ("okx unified", CONFIG, _first(acctLv="1"), "Futures mode"),
    ("okx unified", CONFIG, _first(posMode="long_short_mode"), "One-way"),
    ("bitget unified", INFO, _data(permissions=["uta_mgt", "uta_trade", "withdraw"]), "may withdraw"),
    ("bitget unified", INFO, _data(permissions=["uta_mgt"]), "may not trade"),
    ("bitget unified", INFO, _data(permType="read-only"), "may not write"),
    ("bitget unified", "GET /api/v3/account/settings", _data(holdMode="hedge_mode"), "One-way"),
    ("bitget classic", CLASSIC_INFO, _data(authorities=["coow", "cpow", "stow", "wtow", "wwow"]), "may withdraw"),
    ("bitget classic", CLASSIC_INFO, _data(authorities=["coow", "cpow", "stow"]), "may not move USDT"),
    ("gate unified", MAIN, _perms(*FULL, {"name": "withdraw", **WRITE}), "may withdraw"),
    ("gate unified", MAIN, _perms({"name": "spot", **WRITE}), "may not trade futures"),
    ("gate classic", MAIN, _perms(*FULL[:2]), "may not move USDT"),
    ("gate classic", "GET /api/v4/futures/usdt/accounts", lambda a: {**a, "in_dual_mode": True}, "One-way"),
    ("kucoin classic", "GET /api/v1/user/api-key", _data(permission="General,Spot,Futures"), "may not move USDT"),
    ("kucoin classic", "GET /api/ua/v1/account/mode", _data(selfAccountMode="UNIFIED"), "Classic"),
    ("hyperliquid unified", "POST /info userAbstraction", lambda _: "disabled", "switch the account to Unified"),
]  # fmt: skip


@each
def test_a_fit_key_is_let_in(desk: Desk) -> None:
    """Reads, trades both sides, moves where wallets are two, can't withdraw, is bound to an address: nothing to say."""
    assert desk.venue.refuse_reasons() == []
    assert list(desk.venue.advice()) == []
    assert desk.venue.untried


@pytest.mark.parametrize(("name", "asked", "change", "why"), REFUSED, ids=in_words)
def test_an_unfit_key_or_account_is_refused_with_the_remedy(name: str, asked: str, change: Any, why: str) -> None:
    """One line that says what is wrong and what to switch."""
    kind = BY_NAME[name]
    desk = desk_of(kind, **{asked: change(copy.deepcopy(kind.answers[asked]))})
    (reason,) = desk.venue.refuse_reasons()
    assert why in reason
    assert "switch" in reason


def test_hyperliquids_main_key_is_refused() -> None:
    """The wallet's own key may withdraw; an API wallet's may not."""
    desk = desk_of(BY_NAME["hyperliquid unified"])
    api = desk.venue.api
    api.walletAddress = api.eth_get_address_from_private_key(api.privateKey)
    (reason,) = desk.venue.refuse_reasons()
    assert "make an API wallet" in reason


UNBOUND: list[tuple[str, str, Any]] = [
    ("bybit unified", KEYS, _bybit(ips=["*"])),
    ("okx unified", CONFIG, _first(ip="")),
    ("bitget unified", INFO, _data(ips="")),
    ("bitget classic", CLASSIC_INFO, _data(ips="")),
    ("gate classic", "GET /api/v4/account/detail", lambda a: {**a, "ip_whitelist": []}),
    ("kucoin classic", "GET /api/v1/user/api-key", _data(ipWhitelist="")),
]


@pytest.mark.parametrize(("name", "asked", "change"), UNBOUND, ids=in_words)
def test_a_key_for_any_address_is_told_and_works(name: str, asked: str, change: Any) -> None:
    """No reason not to start; a line that says what a careful user would do."""
    kind = BY_NAME[name]
    desk = desk_of(kind, **{asked: change(copy.deepcopy(kind.answers[asked]))})
    assert desk.venue.refuse_reasons() == []
    (line,) = desk.venue.advice()
    assert "bind it to this machine's IP" in line


def test_a_key_that_gate_hides_is_told() -> None:
    """A sub-account's key can't read its permissions: the user is asked to look."""
    hidden = {"label": "FORBIDDEN", "message": "no permission"}
    desk = desk_of(BY_NAME["gate unified"], **{MAIN: hidden})
    assert desk.venue.refuse_reasons() == []
    (line,) = desk.venue.advice()
    assert "check by hand" in line


def test_no_such_order_is_an_answer_only_of_a_lookup() -> None:
    """Bybit's empty lists become the family's own error."""
    desk = desk_of(BY_NAME["bybit classic"], **MISSING["bybit"])
    with pytest.raises(NoSuchOrder):
        desk.venue._account.order(desk.kind.symbol, expected.ORDER)
