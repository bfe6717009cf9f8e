"""One at a time: what the loop, the callbacks and the fill stream have to agree on, and what becomes of errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.errors import ConfigError, JournalError, VenueError
from freqtrade_fundhedge.journal_locks import process_lock
from freqtrade_fundhedge.troubles import Troubles
from freqtrade_fundhedge.venue.port import FuturesAccount


class Turns:
    """Whoever works holds the lock.

    Attributes
    ----------
    trouble : why not everything could be done, "" if it could
    account : the futures wallet as last read
    """

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.lock = process_lock(ctx.journal.url)
        self.troubles = Troubles(ctx)
        self.trouble = "the first loop has not run yet"
        self.account: FuturesAccount | None = None
        self._loop_trouble = self.trouble
        self._unread = False
        self._turns = 0
        self._closed = False
        ctx.waiting = self._let_go

    @contextmanager
    def _let_go(self) -> Iterator[None]:
        """Others may work while this thread does nothing but wait for an answer."""
        self.lock.release()
        try:
            yield
        finally:
            self._take()
        if self._closed:
            raise JournalError("the bot is stopping")  # what is left to do is the next one's

    def _take(self) -> None:
        """Hold the lock again; a signal that comes while another thread has it is raised only then.

        Whoever let go is inside `with self.lock`: without the lock its end would raise, and hide what stops the bot.
        """
        try:
            self.lock.acquire()
        except BaseException:
            self._take()
            raise

    def _guarded(self, work: Callable[[], str], anew: bool = True, loop: bool = False) -> bool:
        if self._closed:
            return False  # it has waited for the lock while the bot stopped
        self._turns += 1
        try:
            with self.ctx.turn():
                if anew:
                    self.ctx.journal.refresh()
                trouble = self.troubles.quiet() or work()
        except VenueError as error:
            trouble = self.troubles.of(error)
        except (JournalError, ConfigError) as error:
            trouble = str(error)
        except Exception:
            self._loop_trouble = self.trouble = "what was done last came to no end"
            raise
        if loop:
            self._loop_trouble = trouble
        # A fill that went well says nothing about what the last loop could not do.
        trouble = trouble or self._loop_trouble
        self.troubles.say(trouble)
        self.trouble = trouble
        return not trouble

    def _read_account(self) -> FuturesAccount | None:
        """The futures wallet; after a failure the next loop goes without, so that spot is not starved by it."""
        if self._unread:
            self._unread = False
            return None
        self._unread = True
        account = self._account_now()
        self._unread = self.troubles.unreachable = False
        return account

    def _account_now(self) -> FuturesAccount:
        turns = self._turns
        with self.ctx.waiting():
            account = self.ctx.venue.futures_account()
        # What was done meanwhile, a sweep of the same USDT too, may be missing in it.
        self.account = account if turns == self._turns else self.ctx.venue.futures_account()
        return self.account
