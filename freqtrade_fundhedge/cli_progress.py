"""A bar for what may take longer than a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

SLOW_S: Final = 2.0


class Tell(Protocol):
    """Says how far it is: so many of so many, or what is being done now."""

    def __call__(self, done: int = 0, total: int | None = None, what: str = "") -> None: ...


@contextmanager
def waiting(for_what: str, after_s: float | None = None, console: Console | None = None) -> Iterator[Tell]:
    """Show what is waited for, and how long already; on a terminal only, on standard error, gone afterwards."""
    console = console or Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
    )
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = progress.add_task(for_what, total=None, count="")

    def tell(done: int = 0, total: int | None = None, what: str = "") -> None:
        count = f"{done:,}/{total:,}" if total else f"{done:,}" if done else ""
        progress.update(task, completed=done, total=total, description=what or for_what, count=count)

    timer = threading.Timer(SLOW_S if after_s is None else after_s, progress.start)
    timer.daemon = True
    timer.start()
    try:
        yield tell
    finally:
        timer.cancel()
        timer.join()
        progress.stop()
