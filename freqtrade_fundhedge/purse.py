"""Both wallets as an entry's size wants to know them: each read at most once in a loop, or after a fill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.errors import VenueError
from freqtrade_fundhedge.venue.port import ZERO, FuturesAccount


@dataclass
class Purse:
    """Remembers the free USDT on spot, and that it could not be read, until something has changed."""

    ctx: Context
    _spot: Decimal | None = None
    _account: FuturesAccount | None = None
    _failed: bool = False
    _changes: int = 0

    def forget(self, account: FuturesAccount | None = None) -> None:
        """A loop begins or something was filled; `account` if the futures wallet was just read."""
        self._spot, self._account, self._failed = None, account, False
        self._changes += 1

    def moved(self, account: FuturesAccount) -> None:
        """A transfer took effect: the futures wallet is known, spot has to be read again."""
        self._spot, self._account = None, account
        self._changes += 1

    def futures(self) -> FuturesAccount | None:
        """The futures wallet; None when a read has failed since the last change, or a change has overtaken it.

        Raises
        ------
        VenueError : this read failed; the next one is not tried before something changes
        """
        if self._account is None and not self._failed:
            with self._once() as changes:
                account = self.ctx.venue.futures_account()
            self._account = account if changes == self._changes else self._account
        return None if self._failed else self._account

    def spot(self) -> Decimal | None:
        """Free USDT on spot; None and errors as for `futures`."""
        if self._spot is None and not self._failed:
            with self._once() as changes:
                free = self.ctx.venue.spot_balances().get(self.ctx.stake, ZERO)
            # An entry is planned without the lock: what others have spent meanwhile may be counted in this.
            self._spot = free if changes == self._changes else None
        return None if self._failed else self._spot

    @contextmanager
    def _once(self) -> Iterator[int]:
        self.ctx.meanwhile()
        try:
            yield self._changes
        except VenueError:
            self._failed = True
            raise
