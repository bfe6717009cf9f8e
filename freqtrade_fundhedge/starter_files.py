"""The files that a Freqtrade user folder needs, as this release ships them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Final

STRATEGY: Final = "FundHedgeStrategy.py"


@dataclass(frozen=True)
class Starter:
    """A file that is shipped, and its place below the user folder."""

    resource: str
    place: str

    @property
    def content(self) -> bytes:
        """What this release ships."""
        return (resources.files("freqtrade_fundhedge") / "starter" / self.resource).read_bytes()


STARTERS: Final = (
    Starter("FundHedgeStrategy.py.txt", f"strategies/{STRATEGY}"),
    Starter("HedgedCarryLoss.py.txt", "hyperopts/HedgedCarryLoss.py"),
    Starter("config.json.example", "config-fundhedge.json"),
)
