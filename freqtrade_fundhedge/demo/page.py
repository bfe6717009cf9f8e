"""The report page of the demo's bot."""

from __future__ import annotations

from pathlib import Path

from freqtrade_fundhedge.cli_common import load
from freqtrade_fundhedge.cli_report_live import LiveWish, report_live
from freqtrade_fundhedge.journal_trail import Wish

NAME = "report.html"


def write_report(folder: Path) -> str:
    """Write what `fundhedge report --html` shows of the bot in `folder`; returns the page's path.

    Raises
    ------
    FundHedgeError : journal or trades can't be read
    """
    page = folder / NAME
    loaded = load([str(folder / "config.json")])
    report_live(loaded, LiveWish(Wish(), compare=False, trades=False, html=page, as_machine=False, quiet=True))
    return str(page)
