"""A bar for what may take longer than a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

SLOW_S: Final = 2.0


@contextmanager
def waiting(for_what: str, after_s: float = SLOW_S, console: Console | None = None) -> Iterator[None]:
    """Show what is waited for, and how long already; on a terminal only, on standard error, gone afterwards."""
    console = console or Console(stderr=True)
    columns = TextColumn(for_what), BarColumn(bar_width=20), TimeElapsedColumn()
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    progress.add_task("", total=None)
    timer = threading.Timer(after_s, progress.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        progress.stop()
