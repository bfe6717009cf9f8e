"""Why nothing may be entered now: said once, in words that stay the same however often it happens again."""

from __future__ import annotations

from dataclasses import dataclass, field

from freqtrade_fundhedge.context import Context, logger
from freqtrade_fundhedge.errors import BackOff, NotSent, OutcomeUnknown, VenueError

# A rate limit that does not say how long: Binance counts by the minute.
UNTOLD_PAUSE_S = 60.0
PAUSED = "the exchange has asked for a pause from all requests"


@dataclass
class Troubles:
    """The exchange's failures since it last worked.

    Attributes
    ----------
    unreachable : the last loop ended with a request that got no answer; nothing that can wait should ask again
    """

    ctx: Context
    unreachable: bool = False
    _quiet_until: float = float("-inf")
    _texts: dict[tuple[str, str], str] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)

    def of(self, error: VenueError) -> str:
        """The error as a reason. The first text of its kind stands for all: others differ in addresses and times."""
        self.unreachable = isinstance(error, (NotSent, OutcomeUnknown))
        if isinstance(error, BackOff):
            pause = error.retry_after_s if error.retry_after_s is not None else UNTOLD_PAUSE_S
            self._quiet_until = max(self._quiet_until, self.ctx.clock() + pause)
            return PAUSED
        kind = type(error).__name__, error.code
        return self._texts.setdefault(kind, f"the exchange can't be relied on now: {error}")

    def quiet(self) -> str:
        """Why nothing at all may be asked now, or "": the exchange has named a time."""
        return PAUSED if self.ctx.clock() < self._quiet_until else ""

    def say(self, trouble: str) -> None:
        """Log a reason once until it is over, and then that it is."""
        if trouble and trouble not in self._said:
            logger.warning("no new entries: %s", trouble)
            self._said.add(trouble)
        elif not trouble and self._said:
            logger.info("entries are possible again")
            self._said.clear()
            self._texts.clear()
