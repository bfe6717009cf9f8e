"""Patience with what is refused again and again: no journal gains by one more row in each loop."""

from __future__ import annotations

from dataclasses import dataclass, field

SHORTEST_S = 10.0
LONGEST_S = 300.0


@dataclass
class Pauses:
    """After `free` failures in a row each further one doubles the wait, up to five minutes.

    Attributes
    ----------
    free : failures that cost no wait
    """

    free: int
    _failures: dict[str, tuple[int, float]] = field(default_factory=dict)

    def failed(self, what: str, now: float) -> None:
        """One more, at `now` seconds since 1970."""
        count = self._failures.get(what, (0, 0.0))[0] + 1
        wait = min(LONGEST_S, SHORTEST_S * 2.0 ** min(count - self.free, 16)) if count >= self.free else 0.0
        self._failures[what] = count, now + wait

    def worked(self, what: str) -> None:
        """It went through: the next failure is the first again."""
        self._failures.pop(what, None)

    def all_resting(self, prefix: str, now: float) -> frozenset[str]:
        """What begins with `prefix` and rests, without it."""
        return frozenset(
            w.removeprefix(prefix) for w in self._failures if w.startswith(prefix) and self.resting(w, now)
        )

    def resting(self, what: str, now: float) -> bool:
        """Whether it is too early to try again."""
        return now < self._failures.get(what, (0, 0.0))[1]
