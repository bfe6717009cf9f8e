"""What the exchange's refusals take off a sweep is swept after it."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path

from fake_venue import FakeVenue

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.core.treasury import Needs
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.treasurer import Treasurer
from freqtrade_fundhedge.venue.port import Position


def test_a_reduced_sweep_is_followed_by_its_rest(tmp_path: Path) -> None:
    """Beside a cross short, whose band keeps what its price has gained; that stays, before and after."""
    stays = Position("ETH/USDT:USDT", D(1), D(1000), D(333), D(4), D(0))
    venue = FakeVenue(
        lambda: 1_700_000_000.0, wallet=D(1000), foreign=(stays,), faults={"transfer": ["shrink", "shrink"]}
    )
    journal = Journal(f"sqlite:///{tmp_path}/journal.sqlite", "bot")
    ctx = Context(venue, journal, FundHedgeConfig(), "USDT", cross=True, clock=venue.now, sleep=lambda _: None)
    treasurer, swept = Treasurer(ctx), []
    for _ in range(3):
        before = venue.wallet
        treasurer.step(venue.futures_account(), Needs())
        swept.append(before - venue.wallet)
    venue.wallet += 10  # the price's own
    treasurer.step(venue.futures_account(), Needs())
    journal.close()
    assert swept[0] > 700
    assert D(5) < swept[1] < D(9)
    assert swept[2] == 0
    assert venue.sent["transfer"] == 4
