"""The fill stream: hears of fills when they happen, and wakes the controller.

Two threads: one holds the connection, the other works, so that a slow exchange never keeps the connection waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import time
from collections.abc import Awaitable, Callable

from freqtrade_fundhedge.venue.port import OrderFill

logger = logging.getLogger("freqtrade_fundhedge")

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
TELL_AFTER_S = 60.0
# Freqtrade works through the answer to its order while we hear of the fill and hedge it. By default Python lets a busy
# thread keep the others waiting fifty times as long, at every step that they take; where no thread is busy nothing
# changes.
TURN_S = 0.0001
Connection = Callable[[Callable[[OrderFill], None], Callable[[], None]], Awaitable[None]]


class FillStream:
    """Reconnects for ever, quietly; a bot without it is only slower.

    Parameters
    ----------
    connection : holds one connection until it fails: tells each order, and once that it has settled
    keep : takes each order, from the stream's own thread
    work : is called after that, in a thread of its own
    """

    def __init__(self, connection: Connection, keep: Callable[[OrderFill], object], work: Callable[[], object]) -> None:
        self._connection, self._keep, self._work = connection, keep, work
        self._news, self._stopping = threading.Event(), threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listening: asyncio.Task[None] | None = None
        self._down_since: float | None = None
        self._said: set[str] = set()
        self._turn_s = sys.getswitchinterval()
        self._threads = [
            threading.Thread(target=self._listen, name="fundhedge-stream", daemon=True),
            threading.Thread(target=self._hedge, name="fundhedge-fills", daemon=True),
        ]

    def start(self) -> None:
        """Begin; returns at once."""
        self._turn_s = sys.getswitchinterval()
        sys.setswitchinterval(min(TURN_S, self._turn_s))
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float) -> bool:
        """End both threads and the connection. True when they have ended in time."""
        self._stopping.set()
        self._news.set()
        loop, task = self._loop, self._listening
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):  # it has just ended by itself
                loop.call_soon_threadsafe(task.cancel)
        ends_at = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, ends_at - time.monotonic()))
        sys.setswitchinterval(self._turn_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _listen(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            with contextlib.suppress(asyncio.CancelledError):
                runner.run(self._reconnect())

    async def _reconnect(self) -> None:
        self._listening = asyncio.current_task()
        pause = FIRST_PAUSE_S
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                await self._connection(self._told, self._settled)
            except Exception as error:  # noqa: BLE001 - whatever it is, the answer is to try again later
                self._failed(error)
            if time.monotonic() - started > LONGEST_PAUSE_S:
                pause = FIRST_PAUSE_S
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_S, pause * 2)

    def _told(self, fill: OrderFill) -> None:
        self._keep(fill)
        if fill.filled > 0:
            self._news.set()

    def _settled(self) -> None:
        self._down_since = None
        if "down" in self._said or "up" not in self._said:
            logger.info("the fill stream is connected")
        self._said = {"up"}

    def _failed(self, error: Exception) -> None:
        """Said once for an outage that lasts; the class alone, for a text may carry the stream's key."""
        now = time.monotonic()
        self._down_since = self._down_since if self._down_since is not None else now
        if now - self._down_since >= TELL_AFTER_S and "down" not in self._said:
            self._said.add("down")
            logger.warning(
                "the fill stream is down (%s); fills are noticed by the loop instead, a little later",
                type(error).__name__,
            )

    def _hedge(self) -> None:
        while True:
            self._news.wait()
            if self._stopping.is_set():
                return
            self._news.clear()
            try:
                self._work()
            except Exception as error:
                if repr(error) not in self._said:
                    self._said.add(repr(error))
                    logger.exception("fundhedge, in the fill stream: unexpected; the loop goes on without it")
