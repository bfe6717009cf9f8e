"""Orders by our own id, in the form that each exchange takes: one way for the spot leg and for closes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from freqtrade_fundhedge.errors import NoSuchOrder, OutcomeUnknown
from freqtrade_fundhedge.venue.ccxt_call import FINAL, after_send, call, decimal, resync_clock
from freqtrade_fundhedge.venue.keys import order_key
from freqtrade_fundhedge.venue.port import ZERO, Evidence

Filled = tuple[Evidence, Decimal]


class OrderLookup:
    """What the accounts share: ccxt's unified calls, looked up by client id.

    Attributes
    ----------
    answer_is_final : whether the state in the answer to a new order is the exchange's, not made up by ccxt
    trades_by : the parameter by which ccxt's `fetch_my_trades` asks for one order, "" where the exchange has none
    """

    answer_is_final = True
    trades_by = "orderId"
    _api: Any
    _futures: Any

    def route(self) -> None:
        """Find out what kind of account this is, before anything is sent for which ccxt has to know it."""

    def spot(self) -> dict[str, Decimal]:
        """Free amounts on spot by coin."""
        free = call(self._api, self._api.fetch_balance, {"type": "spot"})["free"]
        return {coin: decimal(amount) for coin, amount in free.items() if amount}

    def order_key(self, intent: str) -> str:
        """The client order id of an intent."""
        return order_key(str(self._api.id), intent)

    def order(self, symbol: str, intent: str) -> dict[str, Any]:
        """The spot order of an intent, as ccxt's structure.

        Raises
        ------
        NoSuchOrder : the exchange does not know it (yet)
        """
        return self._find(self._api, symbol, intent)

    def trades(self, symbol: str, order_id: str) -> list[dict[str, Any]]:
        """The trades of one spot order."""
        params = {self.trades_by: order_id} if self.trades_by else {}
        found: list[dict[str, Any]] = call(self._api, self._api.fetch_my_trades, symbol, None, None, params)
        return [trade for trade in found if str(trade.get("order")) == order_id]

    def _find(self, api: Any, symbol: str, intent: str) -> dict[str, Any]:
        key = self.order_key(intent)
        found: dict[str, Any] = call(api, api.fetch_order, key, symbol, {"clientOrderId": key})
        return found

    # --- closing a short that Freqtrade does not know

    def close_short(self, pair: str, quantity: Decimal, client_id: str) -> Decimal:
        """Market order, reduce-only: it can only make the short smaller."""
        self.route()
        resync_clock(self._futures)
        amount = self._close_amount(quantity / self._contract_size(pair))
        params = {"reduceOnly": True, "clientOrderId": self.order_key(client_id), **self._close_params(pair)}
        price = self._close_price(pair)
        answer = call(self._futures, self._futures.create_order, pair, "market", "buy", amount, price, params)
        if self.answer_is_final and answer.get("id") is not None and answer.get("status") in FINAL:
            return decimal(answer.get("filled")) * self._contract_size(pair)
        with after_send(f"the close of {pair}"):
            evidence, filled = self.find_close(pair, client_id)
        if evidence is Evidence.APPLIED:
            return filled
        raise OutcomeUnknown(f"the close of {pair} was accepted, its result is not known yet")

    def find_close(self, pair: str, client_id: str) -> Filled:
        """By our own client id."""
        self.route()
        resync_clock(self._futures)
        try:
            found = self._find(self._futures, pair, client_id)
        except NoSuchOrder:
            return Evidence.NOT_SEEN, ZERO
        if found.get("status") not in FINAL:
            return Evidence.PENDING, ZERO
        if found["status"] == "rejected":
            return Evidence.FAILED, ZERO
        return Evidence.APPLIED, decimal(found.get("filled")) * self._contract_size(pair)

    def _contract_size(self, pair: str) -> Decimal:
        """Base units in what the exchange counts: ccxt's amounts of perpetuals are contracts."""
        return decimal((self._futures.markets or {}).get(pair, {}).get("contractSize")) or Decimal(1)

    def _close_amount(self, contracts: Decimal) -> str | int:
        return f"{contracts:f}"

    def _close_params(self, pair: str) -> dict[str, Any]:
        return {}

    def _close_price(self, pair: str) -> float | None:
        return None
