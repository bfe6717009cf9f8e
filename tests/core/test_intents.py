"""The life of an intent, its id, and amounts that can be told apart."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_fundhedge.core.intents import MOVES, OPEN, UNIQUE_ROOM, Move, State, intent_id, next_state, unique_amount
from freqtrade_fundhedge.errors import IllegalTransition

EVIDENCE = {Move.FIND, Move.REFUSE, Move.PROVE_ABSENT}


@pytest.mark.parametrize(("state", "move"), list(product(State, Move)))
def test_every_state_and_move(state: State, move: Move) -> None:
    """A move of the table leads where the table says; any other raises and changes nothing."""
    before = dict(MOVES)
    if (state, move) in MOVES:
        assert next_state(state, move) is MOVES[state, move]
    else:
        with pytest.raises(IllegalTransition, match=f"{state} can't {move}"):
            next_state(state, move)
    assert before == MOVES


def reachable(state: State) -> set[State]:
    found: set[State] = set()
    front = {state}
    while front:
        found |= front
        front = {after for (before, _), after in MOVES.items() if before in front} - found
    return found


@pytest.mark.parametrize("state", list(State))
def test_open_states_end_and_final_states_stay(state: State) -> None:
    """From an open intent an end can be reached; a final one has no moves at all."""
    moves = [move for (before, move) in MOVES if before is state]
    assert bool(moves) is (state in OPEN)
    assert reachable(state) - OPEN


def test_the_unknown_moves_on_by_evidence_only() -> None:
    """Nothing but evidence settles an unknown outcome, and it is never sent again."""
    assert {move for (before, move) in MOVES if before is State.UNKNOWN} == EVIDENCE
    assert State.SENT not in reachable(State.UNKNOWN)


def test_nothing_is_sent_but_what_was_planned() -> None:
    """The one way to being sent is a plan that is written down."""
    assert [pair for pair, after in MOVES.items() if after is State.SENT] == [(State.PLANNED, Move.SEND)]


PURPOSES = st.lists(st.one_of(st.text(max_size=12), st.integers(), st.decimals(allow_nan=False)), min_size=1)


@given(PURPOSES)
def test_an_id_fits_the_venues(purpose: list[object]) -> None:
    """Whatever the purpose, the id is one that Binance spot takes as a client order id, and no longer than 32."""
    made = intent_id(*purpose)
    assert re.fullmatch(r"[a-zA-Z0-9-_]{1,36}", made)
    assert len(made) == 29
    assert made == intent_id(*purpose)


def test_an_id_survives_a_new_process() -> None:
    """The id follows from the purpose alone: these were made by an earlier run."""
    assert intent_id("order", 1, "open", 0) == "fh-0975ndoj592eudj54h40qubvur"
    assert intent_id("transfer", "futures_to_spot", 7) == "fh-0okig1nemvtokuk6gtqbumcuqn"


def test_different_purposes_have_different_ids() -> None:
    """No two of many like purposes share an id."""
    assert len({intent_id("order", trade, kind, n) for trade in range(50) for kind in "ab" for n in range(20)}) == 2000


CEILINGS = st.decimals(min_value=Decimal(0), max_value=Decimal(10**8), places=8)
STEPS = st.sampled_from(
    [Decimal(text) for text in ("1E-8", "1E-6", "0.00001", "0.0001", "0.0003", "0.001", "0.01", "1")]
)
FINE_STEPS = st.sampled_from([Decimal(text) for text in ("1E-8", "1E-7", "1E-6", "0.00001", "0.0001")])
SERIALS = st.integers(min_value=0, max_value=10**9)


@given(CEILINGS, STEPS, SERIALS)
def test_a_unique_amount_can_be_sent(ceiling: Decimal, step: Decimal, serial: int) -> None:
    """Never above the ceiling, never negative, always on the grid, and at most 0.002 or one step below."""
    amount = unique_amount(ceiling, step, serial)
    assert 0 <= amount <= ceiling
    assert amount % step == 0
    assert ceiling - amount <= max(UNIQUE_ROOM, step)


@given(CEILINGS, CEILINGS, FINE_STEPS, SERIALS, st.integers(min_value=1, max_value=8))
def test_neighbours_differ(one: Decimal, other: Decimal, step: Decimal, serial: int, apart: int) -> None:
    """Transfers close to each other in the journal differ in amount, whatever the two wallets held."""
    first, second = unique_amount(one, step, serial), unique_amount(other, step, serial + apart)
    assert first != second or first == second == 0


@given(CEILINGS, SERIALS)
def test_the_lowest_digits_carry_the_serial(ceiling: Decimal, serial: int) -> None:
    """The part below a tenth of a cent depends on the serial alone, not on the wallet."""
    step = Decimal("1E-8")
    amount = unique_amount(ceiling, step, serial)
    assert amount == 0 or amount % Decimal("0.001") == (serial % 99_999 + 1) * step


def test_no_step_leaves_the_ceiling() -> None:
    """A venue without a grid gets the ceiling; nothing is ever made negative."""
    assert unique_amount(Decimal("5.5"), Decimal(0), 3) == Decimal("5.5")
    assert unique_amount(Decimal(-1), Decimal(1), 3) == unique_amount(Decimal(-1), Decimal("1E-8"), 3) == 0
