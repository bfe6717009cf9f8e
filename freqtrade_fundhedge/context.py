"""What the steps of the controller share: the parts they work on, time, and a voice."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_hedge import ATTENTION, OVER, open_calls
from freqtrade_fundhedge.journal_rows import HedgeRow
from freqtrade_fundhedge.messages import over
from freqtrade_fundhedge.venue.port import Quote, Venue

logger = logging.getLogger("freqtrade_fundhedge")

First = TypeVar("First")
Second = TypeVar("Second")
QUOTE_KEPT_S = 5.0
# What nothing else tells the end of: of an intent its outcome is told, of a hedge its close.
END_IS_NEWS = ("key", "margin", "market", "stranger")


WAIT_SLICE_S = 0.02


def _silent(_message: str) -> None:
    """Nobody listens."""


def _nothing() -> None:
    """Nothing is more urgent."""


@dataclass
class Context:
    """Parts, settings, clock and voice.

    Attributes
    ----------
    tell : sends one message to the user through Freqtrade's channels
    request_timeout_s : the longest that one request may take; nothing waits longer than that in one go
    meanwhile : called before whatever can wait for the exchange; what is more urgent goes first
    waiting : surrounds a read during which others may work, and after which nothing is what it was
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
    meanwhile: Callable[[], None] = _nothing
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    _quotes: dict[str, Quote] = field(default_factory=dict)
    _said: dict[str, str] | None = None

    def quote(self, symbol: str, kept_s: float = QUOTE_KEPT_S) -> Quote:
        """The spot book, at most so old; 0 asks the exchange."""
        known = self._quotes.get(symbol)
        if known is None or kept_s <= 0 or self.clock() - known.at > kept_s:
            known = self._quotes[symbol] = self.venue.quote(symbol)
        return known

    def wait(self, seconds: float) -> None:
        """Sleep, but not while something urgent comes in."""
        slices = int(seconds / WAIT_SLICE_S) if self.meanwhile is not _nothing else 0
        for _ in range(slices):
            self.sleep(WAIT_SLICE_S)
            self.meanwhile()
        self.sleep(seconds - slices * WAIT_SLICE_S)

    def both(self, here: Callable[[], First], beside: Callable[[], Second]) -> tuple[First, Second]:
        """Two answers that don't depend on each other, in the time of one; `beside` is one of `Venue.concurrent`."""
        if not self.venue.concurrent:
            return here(), beside()
        with ThreadPoolExecutor(1, "fundhedge-read") as other:
            second = other.submit(beside)
            return here(), second.result()

    def estimate(self, symbol: str, price: Decimal, tick: Decimal) -> None:
        """Have a price to cap an order with at once, where no book is at hand; the venue fills at its own prices."""
        known = self._quotes.get(symbol)
        if known is None or self.clock() - known.at > QUOTE_KEPT_S:
            self._quotes[symbol] = Quote.around(symbol, price, tick, self.clock())

    def record(self, kind: str, message: str, hedge: HedgeRow | None = None, tell: bool = False, **data: Any) -> None:
        """Log, journal, and on request tell the user."""
        logger.info("%s", message)
        self.journal.event(kind, message, self.clock(), hedge, **data)
        if tell:
            self.tell(message)

    def once(self, topic: str, message: str) -> bool:
        """Call for a person once per topic and text, not once per loop or start. True when it was said now."""
        if self._calls().get(topic) == message:
            return False
        logger.warning("%s", message)
        self.journal.event(ATTENTION, message, self.clock(), None, topic=topic)
        self._calls()[topic] = message
        self.tell(message)
        return True

    def settled(self, topic: str) -> None:
        """The topic is over: the next occurrence is news again."""
        message = self._calls().get(topic)
        if message is None:
            return
        self.journal.event(OVER, over(message), self.clock(), None, topic=topic)
        self._calls().pop(topic, None)  # the other thread may have said so first
        if topic.split(" ", maxsplit=1)[0] in END_IS_NEWS:
            logger.info("%s", over(message))
            self.tell(over(message))

    def only(self, prefix: str, topics: Collection[str]) -> None:
        """All topics that begin with `prefix` are over, except these."""
        for topic in [t for t in self._calls() if t.startswith(prefix) and t not in topics]:
            self.settled(topic)

    def _calls(self) -> dict[str, str]:
        """What a person was called for and is not over, by topic; at first as the journal has it."""
        if self._said is None:
            self._said = open_calls(self.journal.engine, self.journal.bot)
        return self._said
