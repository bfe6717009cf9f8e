"""A running bot's venue as the source of the daily checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freqtrade_fundhedge.core.account_checks import AccountFacts
from freqtrade_fundhedge.venue.ccxt_call import DENIED
from freqtrade_fundhedge.venue.facts import clock_ahead
from freqtrade_fundhedge.venue.live import LiveVenue
from freqtrade_fundhedge.venue.paper import PaperVenue


@dataclass
class Answers:
    """See `health.Source`; a paper account has nothing to ask but the clock and the markets."""

    venue: LiveVenue | PaperVenue

    def facts(self) -> AccountFacts | None:
        """See `health.Source`."""
        return self.venue.facts() if isinstance(self.venue, LiveVenue) else AccountFacts()

    def refuse_reasons(self) -> Sequence[str]:
        """See `health.Source`."""
        return self.venue.refuse_reasons()

    def advice(self) -> Sequence[str]:
        """See `health.Source`."""
        return self.venue.advice() if isinstance(self.venue, LiveVenue) else ()

    def clock(self) -> tuple[float, float]:
        """See `health.Source`."""
        return clock_ahead(self.venue.api)

    def markets(self) -> Mapping[str, Any]:
        """See `health.Source`."""
        markets: Mapping[str, Any] = self.venue.api.markets
        return markets

    def denied(self) -> bool:
        """Of either key, and only once."""
        denied = False
        for api in (self.venue.api, getattr(self.venue, "futures_api", self.venue.api)):
            denied = bool(api.options.pop(DENIED, False)) or denied
        return denied
