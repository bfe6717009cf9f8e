"""Settings and fixtures that all tests share."""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import new_database, postgres_server
from hypothesis import HealthCheck, settings

from freqtrade_fundhedge.journal import Journal

# A machine that is busy with other tests is slow, not wrong. The same examples each time: what is found by chance is
# looked for with `HYPOTHESIS_PROFILE=explore`, not in somebody else's change.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "shared"))


@pytest.fixture(scope="session", autouse=True)
def _dropped_journals_are_closed() -> Iterator[None]:
    """A test may drop a journal that it opened; one that the package leaves open is a warning since Python 3.13."""
    made = Journal.__init__

    def opened(journal: Journal, *args: object, **options: object) -> None:
        made(journal, *args, **options)  # type: ignore[arg-type]
        if Path(__file__).parent in Path(sys._getframe(1).f_code.co_filename).parents:
            weakref.finalize(journal, journal.engine.dispose)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "__init__", opened)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URI of a PostgreSQL server for this session's tests."""
    with postgres_server() as uri:
        yield uri


@pytest.fixture(params=["sqlite", "postgresql"])
def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/journal.sqlite"
    return new_database(request.getfixturevalue("postgres"))
