"""What settles an intent whose answer was lost: the exchange's records or, when these never agree, a person."""

from __future__ import annotations

from typing import Final

from freqtrade_fundhedge.core.intents import OPEN, Move, State
from freqtrade_fundhedge.errors import IllegalTransition
from freqtrade_fundhedge.venue.port import Evidence

ABSENT_LOOKUPS: Final = 3
INTERRUPTED: Final = "interrupted before the answer came"


def by_records(evidence: Evidence, lookups: int, waited_s: float, enough_s: float) -> Move | None:
    """The move of an unknown intent that the exchange's records allow, None as long as they leave it open.

    Parameters
    ----------
    lookups : that did not find it, this one included
    waited_s, enough_s : seconds since it was sent, and after how many its absence counts
    """
    if evidence is Evidence.APPLIED:
        return Move.FIND
    if evidence is Evidence.FAILED:
        return Move.REFUSE
    absent = evidence is Evidence.NOT_SEEN and lookups >= ABSENT_LOOKUPS and waited_s >= enough_s
    return Move.PROVE_ABSENT if absent else None


def listed(move: Move, lookups: int) -> str:
    """What the exchange's list of orders says, for the journal."""
    refused = move is Move.REFUSE
    return "the exchange lists it as rejected" if refused else f"not on the exchange in {lookups} lookups"


def by_person(state: State, took_effect: bool) -> tuple[Move, ...]:
    """The moves by which an open intent gets the outcome that a person knows of.

    Raises
    ------
    IllegalTransition : it has an outcome, or can't have that one: it was never sent
    """
    if state not in OPEN:
        raise IllegalTransition(f"it is {state} already, and stays so")
    if state is State.PLANNED:
        if took_effect:
            raise IllegalTransition("it was never sent, so it can't have taken effect")
        return (Move.GIVE_UP,)
    last = Move.FIND if took_effect else Move.PROVE_ABSENT
    return (Move.LOSE, last) if state is State.SENT else (last,)
