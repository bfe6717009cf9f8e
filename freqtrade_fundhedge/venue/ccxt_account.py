"""What the exchanges other than Binance have in common, through ccxt's unified calls.

One account may hold both sides: then nothing is ever transferred, and spot and futures are two views of one pool.
There `FuturesAccount.free` and the free amount on spot are the same money, `withdrawable` equals `free`, and `wallet`
is the whole balance of the stake currency, so none of them may be added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from freqtrade_fundhedge.errors import NotSent
from freqtrade_fundhedge.venue.ccxt_call import call, decimal, resync_clock
from freqtrade_fundhedge.venue.lookup import OrderLookup
from freqtrade_fundhedge.venue.port import (
    ZERO,
    Direction,
    Evidence,
    FuturesAccount,
    MarginKind,
    MarginRecord,
    Position,
    ShortEntry,
    TransferRecord,
)

PAGES = 50
Figures = tuple[Decimal, Decimal, Decimal]
Row = Mapping[str, Any]


class CcxtAccount(OrderLookup):
    """See `Account`. An exchange adds what ccxt's unified calls do not say.

    Attributes
    ----------
    untried : never run against the real exchange
    """

    untried = True
    # A change whose answer was lost could not be looked up, so the guard shrinks and closes instead.
    margin_step = ZERO
    spot_name: ClassVar[str] = "spot"
    futures_name: ClassVar[str] = "swap"
    closed_orders: ClassVar[str] = "fetch_closed_orders"

    def __init__(self, api: Any, futures_api: Any, stake: str) -> None:
        self._api = api
        self._futures = futures_api
        self._stake = stake
        self._unified: bool | None = None

    @property
    def separate_wallets(self) -> bool:
        """Whether spot and futures are two wallets; the exchange is asked once.

        Raises
        ------
        VenueError : it could not be asked
        """
        self.route()
        return not self._unified

    @property
    def unified(self) -> bool:
        """One account holds both sides."""
        return not self.separate_wallets

    def route(self) -> None:
        """See `OrderLookup.route`."""
        if self._unified is None:
            resync_clock(self._futures)
            self._unified = self._is_unified()
            self._route(self._unified)

    def _is_unified(self) -> bool:
        return True

    def _route(self, unified: bool) -> None:
        """Tell ccxt which kind of account it talks to: it would find out by itself, and take an error for a no."""

    def _apis(self) -> Iterable[Any]:
        return (self._api,) if self._futures is self._api else (self._api, self._futures)

    def spot(self) -> dict[str, Decimal]:
        """See `OrderLookup.spot`. What the shorts need of one pool is not free for spot either."""
        unified = self.unified
        balances = super().spot()
        return {**balances, self._stake: self.futures().free} if unified else balances

    # --- the futures side

    def futures(self) -> FuturesAccount:
        """Positions and figures of the account, two requests."""
        unified = self.unified
        resync_clock(self._futures)
        raw = call(self._futures, self._futures.fetch_positions, None, self._positions_params())
        positions = tuple(self._position(p) for p in raw if decimal(p.get("contracts")))
        wallet, free, withdrawable = self._figures(positions, unified)
        return FuturesAccount(wallet, max(ZERO, free), max(ZERO, withdrawable), positions)

    def _positions_params(self) -> dict[str, Any]:
        return {}

    def _figures(self, positions: tuple[Position, ...], unified: bool) -> Figures:
        """Wallet without unrealised P&L, free and withdrawable amount of the stake currency."""
        raise NotImplementedError

    def _balance(self, kind: str) -> Row:
        params = {"type": kind, "subType": "linear"} if kind == "swap" else {"type": kind}
        found: Row = call(self._futures, self._futures.fetch_balance, params)["info"]
        return found

    def _position(self, raw: Row) -> Position:
        pair = str(raw["symbol"])
        quantity = abs(decimal(raw.get("contracts"))) * self._contract_size(pair)
        mark = decimal(raw.get("markPrice"))
        notional = quantity * mark or abs(decimal(raw.get("notional")))
        unrealised = decimal(raw.get("unrealizedPnl"))
        isolated = self._isolated_margin(raw, unrealised) if self._is_isolated(raw) else None
        is_short = raw.get("side") == "short"
        return Position(
            pair=pair,
            quantity=quantity,
            notional=notional,
            initial_margin=decimal(raw.get("initialMargin")),
            maintenance_margin=self._maintenance(raw, notional)
            or _implied(isolated, unrealised, notional, mark, decimal(raw.get("liquidationPrice")), is_short),
            unrealised=unrealised,
            is_short=is_short,
            isolated_margin=isolated,
        )

    def _is_isolated(self, raw: Row) -> bool:
        return raw.get("marginMode") == "isolated"

    def _isolated_margin(self, raw: Row, unrealised: Decimal) -> Decimal:
        margin = decimal(raw.get("positionMargin"))
        collateral = decimal(raw.get("collateral"))
        return margin or (collateral - unrealised if collateral else decimal(raw.get("initialMargin")))

    def _maintenance(self, raw: Row, notional: Decimal) -> Decimal:
        return decimal(raw.get("maintenanceMargin"))

    def entries(self, pair: str, since: float) -> Sequence[ShortEntry]:
        """Finished orders of one pair that sold it; an entry is a market or an IOC order."""
        self.route()
        fetch = getattr(self._futures, self.closed_orders)
        rows = call(self._futures, fetch, pair, int(since * 1000), None, {})
        size = self._contract_size(pair)
        sold = (row for row in rows if row.get("side") == "sell" and not _reduces(row))
        return [ShortEntry(decimal(r.get("amount")) * size, decimal(r.get("filled")) * size, _seconds(r)) for r in sold]

    def change_margin(self, pair: str, kind: MarginKind, amount: Decimal) -> None:
        """Put margin behind an isolated short, or take it back, once."""
        self.route()
        resync_clock(self._futures)
        self._move_margin(pair, amount if kind is MarginKind.ADD else -amount)

    def margin_history(self, pair: str, kind: MarginKind, since: float) -> Sequence[MarginRecord]:
        """None of them lists it by ccxt: see `margin_step`."""
        return ()

    def _move_margin(self, pair: str, change: Decimal) -> None:
        """By the exchange's own call: several of ccxt's unified ones fail after they have sent."""
        raise NotImplementedError

    # --- transfers

    def wallets(self, direction: Direction) -> tuple[str, str]:
        """From and to, in ccxt's names.

        Raises
        ------
        NotSent : there is one account only
        """
        if self.unified:
            raise NotSent("spot and futures are one account here; nothing is transferred")
        names = self.futures_name, self.spot_name
        return names if direction is Direction.SWEEP else (names[1], names[0])

    def history(self, direction: Direction, asset: str, since: float) -> Sequence[TransferRecord]:
        """Page by page, complete."""
        if self.unified:
            return ()
        resync_clock(self._api)
        rows = self._history(direction, asset, since)
        return [r for r in rows if r.direction is direction and r.asset == asset and r.at >= int(since)]

    def _history(self, direction: Direction, asset: str, since: float) -> Sequence[TransferRecord]:
        raise NotImplementedError

    def flows(self, asset: str, since: float) -> Decimal:
        """What the futures wallet's ledger booked, without transfers."""
        return ZERO if self.unified else self._flows(asset, since)

    def _flows(self, asset: str, since: float) -> Decimal:
        raise NotImplementedError

    # --- the key

    def refuse_reasons(self) -> Sequence[str]:
        """Key permissions and account mode."""
        resync_clock(self._api)
        return [*self._reasons(self.unified)]

    def _reasons(self, unified: bool) -> Iterable[str]:
        raise NotImplementedError

    def advice(self) -> Sequence[str]:
        """What a careful user would change or know, without which the bot starts all the same."""
        return ()


def lacks(what: str, switch: str) -> str:
    """A permission that the key has not, with the remedy."""
    return f"exchange.key: the key may not {what}; switch on {switch} for it"


def may_withdraw(switch: str) -> str:
    """A permission that no bot needs, with the remedy."""
    return f"exchange.key: the key may withdraw; switch off {switch}, no bot needs it"


def hedge_mode(where: str) -> str:
    """The position mode with which a pair may be long and short at once, with the remedy."""
    return f"the futures account is in hedge mode; switch {where} to One-way"


NO_IP = "exchange.key: the key works from any address; bind it to this machine's IP"


def record(
    exchange_id: object, direction: Direction, asset: object, amount: object, ms: object, evidence: Evidence,
    client_key: object = "",
) -> TransferRecord:  # fmt: skip
    """A line of a history, with the exchange's own text as the amount."""
    at = float(decimal(ms)) / 1000
    return TransferRecord(
        str(exchange_id), direction, str(asset), abs(decimal(amount)), at, evidence, str(client_key or "")
    )


def _reduces(row: Row) -> bool:
    """The exchange's own word first: ccxt reads Bitget's "no" as true."""
    raw = (row.get("info") or {}).get("reduceOnly")
    return str(raw if isinstance(raw, str) else row.get("reduceOnly")).lower() in {"true", "yes"}


def _seconds(row: Row) -> float:
    return float(row.get("timestamp") or 0) / 1000


def _implied(
    margin: Decimal | None, unrealised: Decimal, notional: Decimal, mark: Decimal, liquidation: Decimal, short: bool
) -> Decimal:
    """The maintenance margin with which an isolated short is liquidated where the exchange says it is."""
    if margin is None or not short or mark <= 0 or liquidation <= 0:
        return ZERO
    rise = liquidation / mark - 1
    return max(ZERO, (margin + unrealised - notional * rise) / (1 + rise)) if rise > -1 else ZERO
