"""Opening the journal: its tables come all at once."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path

from freqtrade_fundhedge.journal import Journal


def test_tables_come_all_at_once(tmp_path: Path) -> None:
    """Nobody who looks while a journal is made, and no power cut, ever meets a part of its tables."""
    path = tmp_path / "journal.sqlite"
    seen: set[frozenset[str]] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            with contextlib.closing(sqlite3.connect(path)) as db, contextlib.suppress(sqlite3.OperationalError):
                seen.add(frozenset(name for (name,) in db.execute("select name from sqlite_master")))

    watcher = threading.Thread(target=look)
    watcher.start()
    Journal(f"sqlite:///{path}", "bot").close()
    done.set()
    watcher.join(10)
    with contextlib.closing(sqlite3.connect(path)) as db:
        whole = frozenset(name for (name,) in db.execute("select name from sqlite_master"))
    assert {"hedges", "spot_orders", "transfers", "events", "alembic_version"} <= whole
    assert seen <= {frozenset(), whole}
