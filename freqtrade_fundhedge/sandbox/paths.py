"""The price of one market over time: a generated past, and a present that the user steers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from freqtrade_fundhedge.sandbox.noise import FloatArray

MINUTE_MS = 60_000


@dataclass(frozen=True)
class Segment:
    """From ``start`` the level goes from ``first`` to ``last``, straight, until ``end``; then it stays."""

    start: int
    first: Decimal
    end: int
    last: Decimal

    def at(self, now: int) -> Decimal:
        """Read the level at ``now`` (ms)."""
        if now >= self.end:
            return self.last
        return self.first + (self.last - self.first) * (now - self.start) / (self.end - self.start)


@dataclass
class PricePath:
    """A price in time.

    Before ``born`` it is noise pinned to the first level, so history always joins the present. After it, the
    level that was set; with ``alive`` the noise goes on moving around that level.
    """

    born: int
    first: Decimal
    log_noise: Callable[[FloatArray], FloatArray]
    alive: bool = False
    segments: list[Segment] = field(default_factory=list)
    followed: list[tuple[int, PricePath, Decimal]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.segments.append(Segment(self.born, self.first, self.born, self.first))
        self._pin = float(self.log_noise(np.array([self.born / MINUTE_MS]))[0])

    def level(self, now: int) -> Decimal:
        """Read the level that was set, without noise."""
        index = bisect_right(self.segments, now, key=lambda segment: segment.start) - 1
        return self.segments[max(0, index)].at(now)

    def price(self, now: int) -> Decimal:
        """Read the price at ``now`` (ms)."""
        level = self.level(now)
        if not self.alive:
            return level
        return level * Decimal(repr(self._factor(np.array([now / MINUTE_MS]))[0].item()))

    def set(self, now: int, price: Decimal, ramp_ms: int = 0) -> None:
        """Move to ``price`` at once, or in a straight line over ``ramp_ms``."""
        target, before = price, self.level(now)
        if self.alive:
            end = (now + ramp_ms) / MINUTE_MS
            target = price / Decimal(repr(self._factor(np.array([end]))[0].item()))
        start = before if ramp_ms else target
        self.segments.append(Segment(now, start, now + ramp_ms, target))

    def follow(self, start: int, other: PricePath, factor: Decimal) -> None:
        """Rewrite the past from ``start`` (ms) on: it was the other path times ``factor``, to the last digit."""
        self.followed.append((start, other, factor))

    def _factor(self, minutes: FloatArray) -> FloatArray:
        return np.exp(self.log_noise(minutes) - self._pin)

    def minutes(self, first: int, last: int, now: int) -> FloatArray:
        """Summarise minutes as open, high, low and close.

        Parameters
        ----------
        first, last : minutes since the epoch, both included
        now : ms; nothing is known after it

        Returns
        -------
        (minutes, 4) float64
        """
        grid = np.minimum(np.arange(first, last + 2, dtype=np.float64), now / MINUTE_MS)
        values = self._values(grid)
        table = np.empty((last - first + 1, 4))
        table[:, 0], table[:, 3] = values[:-1], values[1:]
        table[:, 1], table[:, 2] = table[:, [0, 3]].max(axis=1), table[:, [0, 3]].min(axis=1)
        self._widen(table, first, now)
        return table

    def at_minutes(self, minutes: FloatArray) -> FloatArray:
        """Read the price at many moments (minutes since the epoch)."""
        return self._values(minutes)

    def _values(self, grid: FloatArray) -> FloatArray:
        born = self.born / MINUTE_MS
        values = np.full(grid.shape, float(self.first))
        for index in np.flatnonzero(grid > born).tolist():
            values[index] = float(self.level(int(grid[index] * MINUTE_MS)))
        moving = np.ones(grid.shape, dtype=bool) if self.alive else grid <= born
        values[moving] *= self._factor(grid[moving])
        for start, other, factor in self.followed:
            rewritten = (grid > start / MINUTE_MS) & (grid <= born)
            values[rewritten] = other.at_minutes(grid[rewritten]) * float(factor)
        return values

    def _widen(self, table: FloatArray, first: int, now: int) -> None:
        """Put levels that were set and left within a minute into its high and low."""
        for segment in self.segments[1:]:
            for moment, level in ((segment.start, segment.first), (segment.end, segment.last)):
                row = moment // MINUTE_MS - first
                if moment <= now and 0 <= row < len(table):
                    table[row, 1] = max(table[row, 1], float(level))
                    table[row, 2] = min(table[row, 2], float(level))
