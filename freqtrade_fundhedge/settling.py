"""What is still open in the journal: hedges that are over but not swept, and sends without a known outcome."""

from __future__ import annotations

from decimal import Decimal

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.messages import REMEDY
from freqtrade_fundhedge.venue.port import FuturesAccount

CENT = Decimal("0.01")


def settle(ctx: Context, account: FuturesAccount | None) -> None:
    """A closed hedge with nothing left to sweep needs no more looking at."""
    settings = ctx.settings
    banded = ctx.cross and account is not None and bool(account.positions)
    moves = settings.transfer.enabled and ctx.venue.separate_wallets
    sweeps_by_hedge = moves and (banded or not settings.margin.fund_entries)
    for hedge in ctx.journal.unsettled():
        if hedge.state == "closed" and (not sweeps_by_hedge or hedge.unswept < CENT):
            ctx.journal.note_hedge(hedge.id, settled=True)


def doubt(journal: Journal) -> str:
    """Why nothing new may be entered: something was sent whose outcome is not known; "" when all is."""
    waiting = journal.open_orders() or journal.open_transfers() or journal.open_closes() or journal.open_margins()
    return f"an order or transfer has no known outcome yet; {REMEDY}" if waiting else ""
