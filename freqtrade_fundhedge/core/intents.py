"""The life of an intent: states, legal moves, identities and unmistakable amounts."""

from __future__ import annotations

import hashlib
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Final

from freqtrade_fundhedge.errors import IllegalTransition


class State(StrEnum):
    """Where an intent stands. A process that dies leaves `SENT` behind, which the next start reads as `UNKNOWN`."""

    PLANNED = "planned"
    SENT = "sent"
    UNKNOWN = "unknown"
    DONE = "done"
    REJECTED = "rejected"
    ABSENT = "absent"


class Move(StrEnum):
    """What can happen to an intent."""

    SEND = "send"
    ACCEPT = "accept"
    REFUSE = "refuse"
    REDUCE = "reduce"
    LOSE = "lose"
    FIND = "find"
    PROVE_ABSENT = "prove_absent"
    GIVE_UP = "give_up"


MOVES: Final[dict[tuple[State, Move], State]] = {
    # decided, nothing under way
    (State.PLANNED, Move.SEND): State.SENT,
    (State.PLANNED, Move.GIVE_UP): State.REJECTED,
    # the answer came
    (State.SENT, Move.ACCEPT): State.DONE,
    (State.SENT, Move.REFUSE): State.REJECTED,
    (State.SENT, Move.PROVE_ABSENT): State.ABSENT,  # it never left this machine
    (State.SENT, Move.REDUCE): State.PLANNED,  # refused for being too much: it may be sent again, smaller
    # no answer: only evidence moves it on
    (State.SENT, Move.LOSE): State.UNKNOWN,
    (State.UNKNOWN, Move.FIND): State.DONE,
    (State.UNKNOWN, Move.REFUSE): State.REJECTED,
    (State.UNKNOWN, Move.PROVE_ABSENT): State.ABSENT,
}

OPEN: Final = frozenset({State.PLANNED, State.SENT, State.UNKNOWN})
FINAL: Final = frozenset(State) - OPEN

UNIQUE_ROOM: Final = Decimal("0.002")
"""Most that `unique_amount` takes off, in units of the asset."""


def next_state(state: State, move: Move) -> State:
    """The state after a move.

    Raises
    ------
    IllegalTransition : the table has no such move; nothing has changed
    """
    try:
        return MOVES[state, move]
    except KeyError:
        raise IllegalTransition(f"an intent that is {state} can't {move}") from None


def intent_id(*purpose: object) -> str:
    """An id that follows from what the intent is for, so that a replay meets its own earlier self.

    Returns
    -------
    `fh-` and 26 characters of [0-9a-v]: fits Binance's `^[a-zA-Z0-9-_]{1,36}$` and 32-character venues alike
    """
    digest = hashlib.sha256("\x1f".join(str(part) for part in purpose).encode()).digest()
    number = int.from_bytes(digest[:16], "big") >> 2
    digits = "0123456789abcdefghijklmnopqrstuv"
    text = ""
    for _ in range(26):
        text = digits[number & 31] + text
        number >>= 5
    return f"fh-{text}"


def unique_amount(ceiling: Decimal, step: Decimal, serial: int) -> Decimal:
    """An amount not above `ceiling` whose lowest digits tell it from its neighbours in the transfer history.

    Binance's history knows no client key: type, asset, amount and time are all there is. The lowest digits, together
    worth at most a tenth of a cent, carry `serial`.

    Parameters
    ----------
    ceiling : most that may be sent, in units of the asset
    step : the venue's smallest step of an amount
    serial : running number of the transfer in the journal, >= 0

    Returns
    -------
    a multiple of `step`, 0 when `ceiling` leaves no room
    """
    room = int((Decimal("0.001") / step).to_integral_value(ROUND_FLOOR)) if step else 0
    if room < 2:
        return max(Decimal(0), (ceiling / step).to_integral_value(ROUND_FLOOR) * step if step else ceiling)
    base_step = step * room
    mark = (serial % (room - 1) + 1) * step
    base = ((ceiling - mark) / base_step).to_integral_value(ROUND_FLOOR) * base_step
    return base + mark if base > 0 else Decimal(0)
