"""What settles an intent whose answer was lost."""

from __future__ import annotations

from itertools import product

import pytest

from freqtrade_fundhedge.core.intents import FINAL, OPEN, Move, State, next_state
from freqtrade_fundhedge.core.outcome import by_person, by_records
from freqtrade_fundhedge.errors import IllegalTransition
from freqtrade_fundhedge.venue.port import Evidence


@pytest.mark.parametrize(
    ("evidence", "lookups", "waited", "move"),
    [
        (Evidence.APPLIED, 0, 0.0, Move.FIND),
        (Evidence.FAILED, 0, 0.0, Move.REFUSE),
        (Evidence.PENDING, 99, 1e9, None),
        (Evidence.NOT_SEEN, 3, 20.0, Move.PROVE_ABSENT),
        (Evidence.NOT_SEEN, 2, 1e9, None),
        (Evidence.NOT_SEEN, 99, 19.9, None),
    ],
)
def test_records(evidence: Evidence, lookups: int, waited: float, move: Move | None) -> None:
    """Found and refused count at once, absence only after three lookups and enough time, pending never."""
    assert by_records(evidence, lookups, waited, 20.0) is move


@pytest.mark.parametrize(("state", "took_effect"), list(product(State, (True, False))))
def test_a_person(state: State, took_effect: bool) -> None:
    """Any open intent ends as told, by moves of the table alone; what was never sent took no effect, an end stays."""
    if state in FINAL or (state is State.PLANNED and took_effect):
        with pytest.raises(IllegalTransition, match=r"it is|it was never sent"):
            by_person(state, took_effect)
        return
    assert state in OPEN
    for move in by_person(state, took_effect):
        state = next_state(state, move)
    assert state in ({State.DONE} if took_effect else {State.ABSENT, State.REJECTED})
