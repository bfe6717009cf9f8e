"""What the steps of the controller share: the parts they work on, time, and a voice."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import HedgeRow
from freqtrade_fundhedge.venue.port import Quote, Venue

logger = logging.getLogger("freqtrade_fundhedge")

QUOTE_KEPT_S = 5.0


def _silent(_message: str) -> None:
    """Nobody listens."""


@dataclass
class Context:
    """Parts, settings, clock and voice.

    Attributes
    ----------
    tell : sends one message to the user through Freqtrade's channels
    request_timeout_s : the longest that one request may take; nothing waits longer than that in one go
    turn : what a loop holds while it works, so that several bots on one account move one at a time
    """

    venue: Venue
    journal: Journal
    settings: FundHedgeConfig
    stake: str
    cross: bool = False
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    tell: Callable[[str], None] = _silent
    request_timeout_s: float = 10.0
    turn: Callable[[], AbstractContextManager[None]] = nullcontext
    _quotes: dict[str, Quote] = field(default_factory=dict)
    _said: dict[str, str] = field(default_factory=dict)

    def quote(self, symbol: str, fresh: bool = False) -> Quote:
        """The spot book, at most a few seconds old; `fresh` asks the exchange."""
        known = self._quotes.get(symbol)
        if fresh or known is None or self.clock() - known.at > QUOTE_KEPT_S:
            known = self._quotes[symbol] = self.venue.quote(symbol)
        return known

    def record(self, kind: str, message: str, hedge: HedgeRow | None = None, tell: bool = False, **data: Any) -> None:
        """Log, journal, and on request tell the user."""
        logger.info("%s", message)
        self.journal.event(kind, message, self.clock(), hedge, **data)
        if tell:
            self.tell(message)

    def once(self, topic: str, message: str) -> bool:
        """Call for a person once per topic and text, not once per loop. True when it was said now."""
        if self._said.get(topic) == message:
            return False
        self._said[topic] = message
        logger.warning("%s", message)
        self.tell(message)
        self.journal.event("attention", message, self.clock(), None, topic=topic)
        return True

    def settled(self, topic: str) -> None:
        """The topic is over: the next occurrence is news again."""
        self._said.pop(topic, None)
