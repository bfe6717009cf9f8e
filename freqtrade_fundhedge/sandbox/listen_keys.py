"""The keys under which a futures user-data stream is opened."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from freqtrade_fundhedge.sandbox.errors import BinanceError

VALID_MS = 60 * 60 * 1000


@dataclass
class ListenKeys:
    """One key for each API key; it lives for an hour after it was made or renewed.

    Source: Binance API documentation, "Start / Keepalive / Close User Data Stream".
    """

    until: dict[str, int] = field(default_factory=dict)
    _of: dict[str, str] = field(default_factory=dict)

    def start(self, owner: str, now: int) -> str:
        """Return the key that is valid already, renewed, or a new one."""
        key = self._of.get(owner, "")
        if not self.valid(key, now):
            key = self._of[owner] = secrets.token_urlsafe(48)
        self.until[key] = now + VALID_MS
        return key

    def renew(self, owner: str, now: int) -> str:
        """Give the key another hour.

        Raises
        ------
        BinanceError : -1125, there is none any more
        """
        key = self._of.get(owner, "")
        if not self.valid(key, now):
            raise BinanceError(-1125, "This listenKey does not exist.")
        self.until[key] = now + VALID_MS
        return key

    def close(self, owner: str) -> None:
        """End the key; harmless when there is none."""
        self.until.pop(self._of.pop(owner, ""), None)

    def valid(self, key: str, now: int) -> bool:
        """Whether a stream under this key carries events."""
        return self.until.get(key, 0) > now

    def expire(self) -> list[str]:
        """End every key at once; return them."""
        ended = list(self.until)
        self.until.clear()
        return ended
