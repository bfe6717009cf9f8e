"""The journal as a tax office wants it: one row for each thing that was executed, with its fee and what coins cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.core.lots import Lots
from freqtrade_fundhedge.journal_rows import CloseRow, HedgeRow, OrderRow, TransferRow
from freqtrade_fundhedge.journal_trail import Entry
from freqtrade_fundhedge.venue.port import ZERO, Direction, Side


@dataclass(frozen=True)
class TaxRow:
    """One thing that was executed. Amounts are signed: what came in is positive. None: there is no such thing.

    Attributes
    ----------
    at : when it was sent or, for a short's result, when the hedge was closed; UTC
    type : spot_buy, spot_sell, fee, sweep, top_up, short_result, funding, short_buy_back
    market : spot symbol or perpetual; "" for transfers
    amount, quote_amount : change of `asset` and of `quote_asset`, before the fee
    price : quote per unit
    fee, fee_asset : paid in the coin that the exchange took
    cost_basis, gain : of coins sold, first in, first out among the bot's own, in quote; fees in either coin counted
    """

    at: str
    type: str
    market: str
    asset: str
    amount: Decimal
    quote_asset: str | None = None
    quote_amount: Decimal | None = None
    price: Decimal | None = None
    fee: Decimal | None = None
    fee_asset: str | None = None
    cost_basis: Decimal | None = None
    gain: Decimal | None = None
    hedge_id: str | None = None
    intent_id: str | None = None
    exchange_id: str | None = None


@dataclass
class _Office:
    lots: dict[str, Lots] = field(default_factory=dict)

    def order(self, row: OrderRow) -> Iterator[TaxRow]:
        base, _, quote = row.symbol.partition("/")
        fees = {coin: Decimal(str(fee)) for coin, fee in row.fees.items()}
        lots = self.lots.setdefault(base, Lots())
        cost = gain = None
        sign = 1 if row.side is Side.BUY else -1
        if row.side is Side.BUY:
            lots.buy(row.filled - fees.get(base, ZERO), row.quote + fees.get(quote, ZERO))
        else:
            cost = lots.sell(row.filled + fees.get(base, ZERO))
            gain = row.quote - fees.get(quote, ZERO) - cost if cost is not None else None
        coin, fee = next(((c, f) for c, f in fees.items() if c in (base, quote)), next(iter(fees.items()), ("", ZERO)))
        yield TaxRow(
            row.sent_at, f"spot_{row.side}", row.symbol, base, sign * row.filled, quote, -sign * row.quote,
            row.quote / row.filled, fee, coin or None, cost, gain, row.hedge_id, row.intent_id, row.exchange_id,
        )  # fmt: skip
        for other, more in fees.items():
            if other != coin:
                yield TaxRow(
                    row.sent_at, "fee", row.symbol, other, -more, fee=more, fee_asset=other,
                    hedge_id=row.hedge_id, intent_id=row.intent_id, exchange_id=row.exchange_id,
                )  # fmt: skip


def tax_rows(entries: Iterable[Entry]) -> Iterator[TaxRow]:
    """Rows of everything that took effect.

    Parameters
    ----------
    entries : of the whole journal from its beginning, oldest first: what coins cost was decided long before they go
    """
    office = _Office()
    for entry in entries:
        row = entry.row
        if isinstance(row, OrderRow) and row.filled:
            yield from office.order(row)
        elif isinstance(row, TransferRow) and row.state is State.DONE:
            yield _transfer(row)
        elif isinstance(row, HedgeRow) and row.closed_at is not None:
            yield from _short(row, row.closed_at)
        elif isinstance(row, CloseRow) and row.filled:
            base = row.pair.partition("/")[0]
            yield TaxRow(
                row.sent_at, "short_buy_back", row.pair, base, row.filled,
                intent_id=row.intent_id, exchange_id=row.exchange_id,
            )  # fmt: skip


def _transfer(row: TransferRow) -> TaxRow:
    """Between two wallets of the same owner: nothing comes in or goes out, the amount says how much moved."""
    kind = "sweep" if row.direction is Direction.SWEEP else "top_up"
    return TaxRow(row.sent_at, kind, "", row.asset, row.amount, intent_id=row.intent_id, exchange_id=row.exchange_id)


def _short(row: HedgeRow, closed_at: str) -> Iterator[TaxRow]:
    """The short's result as Freqtrade booked it, funding apart; its single trades are in Freqtrade's database."""
    quote = row.symbol.partition("/")[2]
    result = row.short_realised - row.funding
    yield TaxRow(closed_at, "short_result", row.pair, quote, result, gain=result, hedge_id=row.id)
    if row.funding:
        yield TaxRow(closed_at, "funding", row.pair, quote, row.funding, gain=row.funding, hedge_id=row.id)
