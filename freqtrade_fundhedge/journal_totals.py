"""Sums over the whole journal, for the paper wallets and for reports; read once at a start, not in the loop."""

from __future__ import annotations

import json
from decimal import Decimal

from sqlalchemy import Engine, select

from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.journal_open import journal_errors
from freqtrade_fundhedge.schema import hedges, spot_orders, transfers
from freqtrade_fundhedge.venue.port import ZERO, Direction, Side


def spot_changes(engine: Engine, bot: str) -> dict[str, Decimal]:
    """What all filled spot orders of a bot added to each coin on spot, fees included."""
    columns = (spot_orders.c.symbol, spot_orders.c.side, spot_orders.c.filled, spot_orders.c.quote, spot_orders.c.fees)
    query = (
        select(*columns)
        .join(hedges, hedges.c.id == spot_orders.c.hedge_id)
        .where(spot_orders.c.state == str(State.DONE), hedges.c.bot == bot)
    )
    change: dict[str, Decimal] = {}
    with journal_errors("be read"), engine.connect() as db:
        for symbol, side, filled, quote, fees in db.execute(query):
            base_coin, quote_coin = symbol.split("/")
            sign = 1 if side == Side.BUY else -1
            parts = {base_coin: sign * Decimal(filled), quote_coin: -sign * Decimal(quote)}
            for coin, amount in parts.items():
                change[coin] = change.get(coin, ZERO) + amount
            for coin, fee in json.loads(fees).items():
                change[coin] = change.get(coin, ZERO) - Decimal(fee)
    return change


def moved_to_futures(engine: Engine, bot: str) -> Decimal:
    """Net amount that a bot's transfers took from spot to the futures wallet."""
    query = select(transfers.c.direction, transfers.c.amount).where(
        transfers.c.state == str(State.DONE), transfers.c.bot == bot
    )
    with journal_errors("be read"), engine.connect() as db:
        return sum(
            (
                Decimal(amount) if direction == Direction.TOP_UP else -Decimal(amount)
                for direction, amount in db.execute(query)
            ),
            ZERO,
        )
