"""The model of controller, journal and failing venue, on PostgreSQL."""

from __future__ import annotations

import test_model
from databases import new_database


def test_random_walks(postgres: str) -> None:
    """What holds on SQLite holds on PostgreSQL: the same walks end where they should."""
    for seed in range(4):
        url = new_database(postgres)
        model = test_model.random_walk(seed, lambda url=url: OnPostgres(url))
        model.teardown()


class OnPostgres(test_model.Hedging):
    """The machine with a journal of its own elsewhere."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.database = url

    def journal_url(self) -> str:
        return self.database

    def start(self) -> None:
        self.let_go()
        super().start()

    def teardown(self) -> None:
        super().teardown()
        self.let_go()

    def let_go(self) -> None:
        """The server notices that a process has died; here nothing has."""
        if hasattr(self, "journal"):
            self.journal.close()
            self.venue.journal.close()
