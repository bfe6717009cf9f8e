"""A real account through ccxt.

The instance is our own, with `defaultType: spot`: on the one that Freqtrade uses for futures, ccxt's
`market('ETH/USDT')` is the perpetual. Requests that move anything are made exactly once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.core.account_checks import AccountFacts
from freqtrade_fundhedge.errors import ConfigError, NoSuchOrder, OutcomeUnknown, Rejected
from freqtrade_fundhedge.market import SpotMarket, spot_market
from freqtrade_fundhedge.venue import states
from freqtrade_fundhedge.venue.account import Account, account_for
from freqtrade_fundhedge.venue.ccxt_call import (
    FINAL,
    after_send,
    call,
    decimal,
    fill_from_order,
    quote_from_book,
    resync_clock,
    twin,
)
from freqtrade_fundhedge.venue.facts import account_facts
from freqtrade_fundhedge.venue.keys import key_params, transfer_key
from freqtrade_fundhedge.venue.perpetuals import FundingQuote, PerpState
from freqtrade_fundhedge.venue.port import (
    ZERO,
    Direction,
    Evidence,
    Fill,
    FuturesAccount,
    MarginKind,
    MarginRecord,
    OrderRequest,
    Quote,
    ShortEntry,
    TransferRecord,
    TransferRequest,
)
from freqtrade_fundhedge.venue.predicted import PredictedFunding

BOOK_LEVELS = 50


class PublicSpot:
    """Market data without a key; the live and the paper venue share it.

    Parameters
    ----------
    api : a ccxt instance with `defaultType: spot` and markets loaded
    clock : seconds since 1970
    """

    def __init__(self, api: Any, clock: Callable[[], float] = time.time) -> None:
        self.api = api
        self.clock = clock
        self._funding = PredictedFunding(api, clock)
        self._markets: dict[str, SpotMarket] = {}
        self._listed: Any = None
        self._read: dict[str, tuple[SpotMarket, Any]] = {}

    def market(self, pair: str) -> SpotMarket:
        """See `Venue.market`. One that the venue has taken off its list stays as it was, but takes no orders."""
        markets = self.api.markets
        if markets is not self._listed:
            self._listed, self._read = markets, {}
        read = self._read.get(pair)
        if read is not None and markets.get(read[0].symbol) is read[1]:
            return read[0]
        try:
            known = self._markets[pair] = spot_market(pair, markets)
            self._read[pair] = known, markets[known.symbol]
        except ConfigError:
            if pair not in self._markets:
                raise
            known = replace(self._markets[pair], active=False)
        return known

    def quote(self, symbol: str) -> Quote:
        """See `Venue.quote`."""
        with twin(self.api) as api:
            book = call(api, api.fetch_order_book, symbol, BOOK_LEVELS)
        return quote_from_book(symbol, book, self.clock())

    def candles(self, symbol: str, timeframe: str, since_ms: int, limit: int) -> Sequence[Sequence[float]]:
        """See `Venue.candles`."""
        rows: Sequence[Sequence[float]] = call(
            self.api, self.api.fetch_ohlcv, symbol, timeframe, since_ms or None, limit
        )
        return rows

    def funding(self) -> Mapping[str, FundingQuote]:
        """See `Venue.funding`."""
        return self._funding.quotes()

    def refresh_intervals(self) -> None:
        """See `Venue.refresh_intervals`."""
        self._funding.refresh_intervals()

    def perp_states(self, pairs: Collection[str]) -> Mapping[str, PerpState]:
        """See `Venue.perp_states`."""
        return states.perp_states(self.api, pairs)

    def spot_trading(self, symbols: Collection[str]) -> Mapping[str, bool]:
        """See `Venue.spot_trading`."""
        with twin(self.api) as api:
            return states.spot_trading(api, symbols)

    def spot_ends(self) -> Mapping[str, float]:
        """See `Venue.spot_ends`."""
        return states.spot_ends(self.api)


class LiveVenue(PublicSpot):
    """See `Venue`.

    Parameters
    ----------
    api : for the spot leg and transfers
    futures_api : for the futures wallet; the same object unless the user gave a key of its own for spot
    stake : the stake currency, such as USDT
    """

    concurrent = True
    values_positions = True

    def __init__(self, api: Any, futures_api: Any, stake: str, clock: Callable[[], float] = time.time) -> None:
        super().__init__(api, clock)
        self.name = str(api.id)
        self.stake = stake
        self.futures_api = futures_api
        self._account: Account = account_for(api, futures_api, stake)
        self.margin_step = self._account.margin_step
        self.transfer_step = decimal(api.currencies.get(stake, {}).get("precision")) or Decimal("0.01")

    @property
    def separate_wallets(self) -> bool:
        """See `Venue.separate_wallets`."""
        return self._account.separate_wallets

    @property
    def untried(self) -> bool:
        """Never run against the real exchange."""
        return self._account.untried

    def futures_account(self) -> FuturesAccount:
        """See `Venue.futures_account`."""
        return self._account.futures()

    def spot_balances(self) -> Mapping[str, Decimal]:
        """See `Venue.spot_balances`."""
        resync_clock(self.api)
        return self._account.spot()

    def _prepare(self) -> None:
        """Before an order or a transfer: the clock, and which kind of account ccxt has to address."""
        resync_clock(self.api)
        self._account.route()

    def send_order(self, order: OrderRequest) -> Fill:
        """See `Venue.send_order`."""
        self._prepare()
        params = {"timeInForce": "IOC", "clientOrderId": self._account.order_key(order.client_id)}
        size, price = f"{order.quantity:f}", f"{order.price:f}"
        with twin(self.api, spaced=False) as api:
            answer = call(api, api.create_order, order.market.symbol, "limit", str(order.side), size, price, params)
        if answer.get("id") is None:
            raise OutcomeUnknown(f"the answer to order {order.client_id} carries no id")
        final = self._account.answer_is_final and answer.get("status") in FINAL
        if final and (not answer.get("filled") or answer.get("trades")):
            return fill_from_order(answer, answer.get("trades") or [])
        with after_send(f"order {order.client_id}"):
            evidence, fill = self.find_order(order)
        if evidence is Evidence.APPLIED and fill is not None:
            return fill
        raise OutcomeUnknown(f"order {order.client_id} was accepted, its result is not known yet")

    def find_order(self, order: OrderRequest) -> tuple[Evidence, Fill | None]:
        """See `Venue.find_order`."""
        self._prepare()
        symbol = order.market.symbol
        try:
            found = self._account.order(symbol, order.client_id)
        except NoSuchOrder:
            return Evidence.NOT_SEEN, None
        if found.get("status") not in FINAL:
            return Evidence.PENDING, None
        if found["status"] == "rejected":
            return Evidence.FAILED, None
        trades: list[dict[str, Any]] = []
        if decimal(found.get("filled")) > ZERO:
            trades = self._account.trades(symbol, str(found["id"]))
        return Evidence.APPLIED, fill_from_order(found, trades)

    def transfer_key(self, key: str) -> str:
        """See `Venue.transfer_key`."""
        return transfer_key(self.name, key)

    def send_transfer(self, transfer: TransferRequest) -> str:
        """See `Venue.send_transfer`."""
        self._prepare()
        text = f"{transfer.amount:f}"
        if decimal(self.api.currency_to_precision(transfer.asset, text)) != transfer.amount:
            raise Rejected(f"{text} {transfer.asset} does not fit the venue's precision and was not sent")
        answer = call(
            self.api,
            self.api.transfer,
            transfer.asset,
            text,
            *self._account.wallets(transfer.direction),
            key_params(self.name, transfer.client_key),
        )
        if answer.get("id") is None:
            raise OutcomeUnknown("the answer to the transfer carries no id")
        return str(answer["id"])

    def transfers(self, direction: Direction, asset: str, since: float) -> Sequence[TransferRecord]:
        """See `Venue.transfers`."""
        resync_clock(self.api)
        return self._account.history(direction, asset, since)

    def wallet_flows(self, asset: str, since: float) -> Decimal:
        """See `Venue.wallet_flows`."""
        return self._account.flows(asset, since)

    def refuse_reasons(self) -> Sequence[str]:
        """See `Venue.refuse_reasons`."""
        return self._account.refuse_reasons()

    def facts(self) -> AccountFacts | None:
        """What the exchange says of keys and account; None where it has no such questions."""
        return account_facts(self.api, self.futures_api)

    def advice(self) -> Sequence[str]:
        """What a careful user would change or know, without which the bot starts all the same."""
        return self._account.advice()

    def entries(self, pair: str, since: float) -> Sequence[ShortEntry]:
        """See `Venue.entries`."""
        return self._account.entries(pair, since)

    def close_short(self, pair: str, quantity: Decimal, client_id: str) -> Decimal:
        """See `Venue.close_short`."""
        return self._account.close_short(pair, quantity, client_id)

    def find_close(self, pair: str, client_id: str) -> tuple[Evidence, Decimal]:
        """See `Venue.find_close`."""
        return self._account.find_close(pair, client_id)

    def change_margin(self, pair: str, kind: MarginKind, amount: Decimal) -> None:
        """See `Venue.change_margin`."""
        self._account.change_margin(pair, kind, amount)

    def margin_history(self, pair: str, kind: MarginKind, since: float) -> Sequence[MarginRecord]:
        """See `Venue.margin_history`."""
        return self._account.margin_history(pair, kind, since)
