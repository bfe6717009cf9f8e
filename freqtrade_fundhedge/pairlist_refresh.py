"""The running bot's pair list: ranked again once a candle, one request a loop, and never in the way of a hedge."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from freqtrade_fundhedge.errors import FundHedgeError
from freqtrade_fundhedge.pairlist_file import write_pairlist
from freqtrade_fundhedge.scan import Scan

logger = logging.getLogger("freqtrade_fundhedge")
LEAST_S = 900.0
AGAIN_S = 300.0


class PairlistRefresh:
    """Keeps a file for Freqtrade's `RemotePairList`.

    Parameters
    ----------
    path : of the file
    new_scan : makes a scan that has made no request yet
    period_s : seconds between two rankings, as long as a candle; at least `LEAST_S`
    clock : seconds since 1970
    """

    def __init__(
        self, path: Path, new_scan: Callable[[], Scan], period_s: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._path, self._new_scan, self._clock = path, new_scan, clock
        self._period_s = max(period_s, LEAST_S)
        self._due = 0.0
        self._running: tuple[Scan, Iterator[object]] | None = None
        self._said = ""

    def step(self) -> None:
        """Make at most one request. Whatever goes wrong is said once, and tried again some minutes later."""
        try:
            self._step()
        except (FundHedgeError, OSError) as error:
            self._give_up(str(error))
        except Exception as error:
            # A pair list is a convenience: no fault in it may stop the loop that hedges.
            if repr(error) != self._said:
                logger.exception("the pair list could not be made")
            self._said = repr(error)
            self._give_up(self._said)

    def _step(self) -> None:
        now = self._clock()
        if self._running is None:
            if now < self._due:
                return
            scan = self._new_scan()
            self._running = scan, scan.steps()
        scan, steps = self._running
        if next(steps, None) is not None:
            return
        self._running, self._due, self._said = None, now - now % self._period_s + self._period_s, ""
        if scan.rows:
            write_pairlist(self._path, [row.pair for row in scan.rows], now)
            logger.info("%s: %d pairs, best first: %s", self._path, len(scan.rows), scan.rows[0].pair)

    def _give_up(self, why: str) -> None:
        if why != self._said:
            logger.warning("the pair list %s stays as it is for now: %s", self._path, why)
        self._said, self._running, self._due = why, None, self._clock() + AGAIN_S
