"""What a venue tells of its perpetuals: the next funding, and whether they are traded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class FundingQuote(NamedTuple):
    """What the next settlement is expected to pay (fraction of notional) and when (seconds since 1970).

    `cap` is the highest rate that a settlement can have, None where the venue did not say. Each loop makes hundreds,
    and a tuple is made in half the time.
    """

    rate: float
    interval_h: float
    next_at: float
    mark_price: float
    index_price: float
    cap: float | None = None


@dataclass(frozen=True)
class PerpState:
    """Whether a perpetual takes orders that enlarge a short, and that reduce one; when it is announced to end.

    `ends_at` in seconds since 1970, None = nothing announced.
    """

    opens: bool = True
    closes: bool = True
    ends_at: float | None = None
