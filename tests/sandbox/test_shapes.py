"""The sandbox speaks in Binance's shapes, judged by recorded answers and snapshots when they are at hand."""

from __future__ import annotations

import gzip
import json

import pytest
from real_data import REAL_DATA

from freqtrade_fundhedge.sandbox.specs import COINS

DATA = REAL_DATA
ETH = "ETH/USDT:USDT"


def recorded(method: str, description: str):
    path = DATA / "venue" / "binance_response_recorded.json"
    if not path.exists():
        pytest.skip("recorded answers of Binance are not here (FUNDHEDGE_REAL_DATA)")
    cases = json.loads(path.read_text())["cases"]
    return next(c["httpResponse"] for c in cases if c["method"] == method and description in c["description"])


def snapshot(name: str):
    path = DATA / "snapshots" / name
    if not path.exists():
        pytest.skip("snapshots of Binance are not here (FUNDHEDGE_REAL_DATA)")
    return json.loads(gzip.decompress(path.read_bytes()))


def same_shape(ours: object, theirs: object, where: str = "", ignore: frozenset[str] = frozenset()) -> list[str]:
    """List fields of theirs that ours lacks, and texts where ours is not."""
    if isinstance(theirs, dict):
        assert isinstance(ours, dict), where
        found = [f"{where}.{name} missing" for name in theirs if name not in ours and name not in ignore]
        for name in theirs:
            if name in ours:
                found += same_shape(ours[name], theirs[name], f"{where}.{name}", ignore)
        return found
    if isinstance(theirs, list):
        if not theirs or not ours:
            return []
        return same_shape(ours[0], theirs[0], f"{where}[0]", ignore)
    # The recordings turned numbers into text, so only the decimals of texts can be compared.
    if isinstance(theirs, str) and "." in theirs and not isinstance(ours, str):
        return [f"{where}: {ours!r} is not text"]
    if isinstance(theirs, bool) and not isinstance(ours, bool):
        return [f"{where}: {ours!r} is not a bool"]
    return []


@pytest.fixture
def traded(spot, swap):
    """An account that has done a little of everything."""
    swap.create_order(ETH, "market", "sell", 1)
    spot.create_order("ETH/USDT", "market", "buy", 1)
    spot.transfer("USDT", 10, "spot", "swap")


def test_spot_account(spot, traded):
    """The spot account has the recorded fields."""
    assert same_shape(spot.private_get_account(), recorded("fetchBalance", "Spot balance")) == []


def test_futures_account(swap, traded):
    """The futures account has the recorded fields."""
    answer = swap.fapiprivatev3_get_account()
    assert same_shape(answer, recorded("fetchBalance", "Linear swap balance")) == []
    assert same_shape(answer, recorded("fetchPositions", "account endpoint")) == []


def test_positions(swap, traded):
    """A position has exactly the recorded fields."""
    ours, theirs = swap.fapiprivatev3_get_positionrisk(), recorded("fetchPositions", "without symbols")
    assert same_shape(ours, theirs) == []
    assert set(ours[0]) == set(theirs[0])


def test_spot_orders(spot, traded):
    """Queried spot orders and trades have exactly the recorded fields; placed ones the fields of their kind."""
    order = spot.private_get_allorders({"symbol": "ETHUSDT"})[0]
    theirs = recorded("fetchOrder", "Fetch spot closed order")
    assert same_shape(order, theirs) == []
    assert set(order) == set(theirs)
    trade = spot.private_get_mytrades({"symbol": "ETHUSDT"})[0]
    assert set(trade) == set(recorded("fetchMyTrades", "Spot private trade")[0])
    placed = {"symbol": "ETHUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1"}
    new = spot.private_post_order(placed | {"price": "2000"})
    assert same_shape(new, recorded("createOrder", "spot limit buy"), ignore=frozenset({"icebergQty"})) == []


def test_futures_orders(swap, traded):
    """Futures orders and trades have the recorded fields."""
    placed = {"symbol": "ETHUSDT", "side": "SELL", "type": "LIMIT", "timeInForce": "GTX", "quantity": "0.1"}
    new = swap.fapiprivate_post_order(placed | {"price": "2550", "newOrderRespType": "RESULT"})
    assert set(new) == set(recorded("createOrders", "create swap orders")[0])
    open_order = swap.fapiprivate_get_openorder({"symbol": "ETHUSDT", "orderId": new["orderId"]})
    assert set(open_order) == set(recorded("fetchOpenOrder", "swap open order"))
    trade = swap.fapiprivate_get_usertrades({"symbol": "ETHUSDT"})[0]
    assert set(trade) == set(recorded("fetchMyTrades", "Swap private trade")[0])


def test_income_margin_mode_and_candles(swap, control, traded):
    """Income rows, symbol settings, margin changes, candles and books have the recorded fields."""
    control.post("settle", symbol="ETHUSDT", rate="0.001")
    rows = swap.fapiprivate_get_income({"incomeType": "FUNDING_FEE"})
    assert set(rows[0]) == set(recorded("fetchFundingHistory", "portfolio margin")[0])
    config = swap.fapiprivate_get_symbolconfig({"symbol": "BTCUSDT"})
    assert set(config[0]) == set(recorded("fetchMarginMode", "margin mode")[0])
    candle, theirs = (
        swap.fapipublic_get_klines({"symbol": "ETHUSDT", "interval": "1m", "limit": 1})[0],
        recorded("fetchOHLCV", "swap ohlcv")[0],
    )
    assert [type(value) for value in candle] == [type(value) for value in theirs]
    book = swap.fapipublic_get_depth({"symbol": "ETHUSDT"})
    assert set(book) == set(recorded("fetchOrderBook", "swap orderbook"))


def test_transfer_history_rows(spot, traded):
    """Rows of the transfer history have the fields of real ones."""
    path = DATA / "venue" / "binance_transfer_live_samples.json"
    if not path.exists():
        pytest.skip("samples of Binance's transfers are not here (FUNDHEDGE_REAL_DATA)")
    samples = json.loads(path.read_text())["history_rows"]
    row = spot.sapi_get_asset_transfer({"type": "MAIN_UMFUTURE"})["rows"][0]
    assert all(set(row) == set(sample["row"]) for sample in samples)


def test_requests_of_ccxt_are_understood(spot, swap, control, traded):
    """What ccxt sends for a transfer, a leverage and a margin type is what it was recorded to send."""
    swap.set_margin_mode("isolated", "LTC/USDT:USDT")
    swap.set_leverage(5, "LTC/USDT:USDT")
    seen = {entry["path"]: entry for entry in control.requests("POST")}
    assert seen["/sapi/v1/asset/transfer"]["params"]["type"] == "MAIN_UMFUTURE"
    assert seen["/fapi/v1/leverage"]["params"]["leverage"] == "5"
    assert seen["/fapi/v1/marginType"]["params"]["marginType"] == "ISOLATED"
    assert all(entry["status"] == 200 for entry in seen.values())


def test_perpetual_filters_are_binances(swap):
    """Tick, lot, minimum, precision and symbol fields of each perpetual are those of the real exchange."""
    real = {row["symbol"]: row for row in snapshot("binance_fapi_exchangeInfo_20260708T0928Z.json.gz")["symbols"]}
    ours = {row["symbol"]: row for row in swap.fapipublic_get_exchangeinfo()["symbols"]}
    assert len(ours) == len(COINS)
    for symbol, row in ours.items():
        theirs = real[symbol]
        assert same_shape(row, theirs, symbol, frozenset({"permissionSets"})) == []
        for name in ("pricePrecision", "quantityPrecision", "baseAsset"):
            assert row[name] == theirs[name], symbol
        mine, true = ({f["filterType"]: f for f in r["filters"]} for r in (row, theirs))
        for kind, field in (("PRICE_FILTER", "tickSize"), ("LOT_SIZE", "stepSize"), ("MIN_NOTIONAL", "notional")):
            assert float(mine[kind][field]) == float(true[kind][field]), (symbol, kind)


def test_funding_caps_and_intervals_are_binances(swap):
    """Caps and intervals are the real ones, but for the one symbol that settles hourly here."""
    real = {row["symbol"]: row for row in snapshot("binance_fapi_fundingInfo_20260704T2030Z.json.gz")}
    for row in swap.fapipublic_get_fundinginfo():
        assert same_shape(row, real[row["symbol"]]) == []
        if row["symbol"] not in {"SUIUSDT"}:
            assert row["fundingIntervalHours"] == real[row["symbol"]]["fundingIntervalHours"]


def test_premium_index_has_binances_fields(swap):
    """The premium index has exactly the real fields, for one symbol or all."""
    real = snapshot("binance_fapi_premiumIndex_20260703T051738Z.json.gz")
    ours = swap.fapipublic_get_premiumindex()
    assert set(ours[0]) == set(real[0])
    assert set(swap.fapipublic_get_premiumindex({"symbol": "ETHUSDT"})) == set(real[0])


def test_book_tickers_have_binances_fields(spot, swap):
    """Book tickers have exactly the real fields."""
    for client, name in (
        (spot.public_get_ticker_bookticker, "binance_spot_bookTicker_20260715T0651Z.json.gz"),
        (swap.fapipublic_get_ticker_bookticker, "binance_fapi_bookTicker_20260715T0651Z.json.gz"),
    ):
        assert set(client()[0]) == set(snapshot(name)[0])
