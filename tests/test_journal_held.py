"""Whether a bot works on a journal, looked up from beside it."""

from __future__ import annotations

from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_locks import SingleBot, held
from freqtrade_fundhedge.journal_open import journal_version


def test_a_bot_at_work_is_seen_and_not_disturbed(journal_url: str) -> None:
    """From its start to its end, by its own name where the journal has several, and it can start again at once."""
    assert not held(journal_url, "freqtrade")
    bot = SingleBot(journal_url, "freqtrade", "binance")
    bot.acquire()
    assert held(journal_url, "freqtrade")
    if journal_url.startswith("postgresql"):
        assert not held(journal_url, "another")
    with bot.turn():
        assert held(journal_url, "freqtrade")
    bot.release()
    assert not held(journal_url, "freqtrade")
    bot.acquire()
    bot.release()


def test_a_journal_tells_its_version(journal_url: str) -> None:
    """The one that this release writes, and it is the last of those that it knows."""
    journal = Journal(journal_url, "freqtrade")
    version, known = journal_version(journal.engine)
    journal.close()
    assert version == known[-1] > known[0]
