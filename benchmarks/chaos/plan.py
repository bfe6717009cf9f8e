"""What happens in one scenario; everything follows from class and seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

CLASSES = ("calm", "volatile", "transient", "lost")
CALM_LEVERAGE = 5
"""Up to here a short is far enough from its liquidation for the guard to do nothing."""
RISE_PER_S = Decimal("0.005")
LONGEST_RISE_S = 36.0
PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT", "XRP/USDT:USDT", "1000PEPE/USDT:USDT")
TRANSFER = "/sapi/v1/asset/transfer"
ORDER = "/api/v3/order"
EVERYTHING = r"/(api|sapi|fapi)/.*"
COINS = frozenset({"BTC", "ETH", "SOL", "XRP", "PEPE"})
SETTLEMENT_S = 8 * 3600
START_S = 1_790_006_400 // SETTLEMENT_S * SETTLEMENT_S
Rule = dict[str, Any]

LOST = ("drop_after", "drop_after", "drop_before", "cut_after", "empty_after")
TRANSIENT: tuple[Rule, ...] = (
    {"kind": "limit", "status": 429},
    {"kind": "limit", "status": 418},
    {"kind": "http", "status": 503, "body": "empty"},
    {"kind": "http_after", "status": 503, "body": "empty"},
    {"kind": "http", "status": 500, "body": "html"},
    {"kind": "http", "status": 502, "body": "html"},
    {"kind": "error", "status": 400, "code": -1007, "msg": "Timeout waiting for response from backend server."},
    {"kind": "error_after", "status": 400, "code": -1007, "msg": "Timeout waiting for response from backend server."},
    {"kind": "error", "status": 503, "code": -1008, "msg": "Server is currently overloaded with other requests."},
    {"kind": "error", "status": 400, "code": -1001, "msg": "Internal error; unable to process your request."},
)


@dataclass(frozen=True)
class Short:
    """A short to open: notional in USDT."""

    pair: str
    notional: Decimal
    leverage: int


@dataclass(frozen=True)
class Exit:
    """One closing of the first short.

    Attributes
    ----------
    share : of what is still open; 1 closes it
    announced : whether Freqtrade calls back, or the loop has to notice
    loops : bot loops until the next exit
    rise_s, lead_s : the price begins to rise so long before the close, and rises that long; 0 for not at all
    """

    share: Decimal
    announced: bool
    loops: int
    rise_s: float
    lead_s: float
    rules: tuple[Rule, ...]
    deaths: tuple[float, ...]


@dataclass(frozen=True)
class Scenario:
    """All dice of one scenario, thrown in advance; `deaths` are shares of the way through what is being done.

    Attributes
    ----------
    entered : the shorts are there when the bot starts; else it enters them itself, margin and all
    parts : in so many parts an order of Freqtrade's is filled, `gap_s` apart
    behind_s : so late the exchange's account shows a position
    """

    klass: str
    seed: int
    cross: bool
    fund_entries: bool
    keep: Decimal
    own_float: Decimal
    first: Short
    stays: Short | None
    exits: tuple[Exit, ...]
    entered: bool
    entry_rules: tuple[Rule, ...]
    entry_deaths: tuple[float, ...]
    lag_s: float
    latency_s: float
    loop_s: float
    start_s: float
    parts: int = 1
    gap_s: float = 0.0
    behind_s: float = 0.0
    dice: int = field(repr=False, default=0)

    @property
    def faulty(self) -> bool:
        """Whether anything goes wrong at the exchange."""
        return any((self.entry_rules, *(item.rules for item in self.exits)))

    @property
    def name(self) -> str:
        """How to call it from the command line."""
        return f"--class {self.klass} --seed {self.seed}"


def scenario(klass: str, seed: int) -> Scenario:
    """Throw the dice."""
    dice = Random(f"{klass} {seed}")
    volatile = klass == "volatile"
    cross = volatile or dice.random() < 0.6
    fund_entries = dice.random() < 0.6
    pairs = dice.sample(PAIRS, 2)
    stays = _short(dice, pairs[1]) if volatile or dice.random() < 0.5 else None
    first = _short(dice, pairs[0])
    # Now and then funding is settled in the middle of it all; less than `min_usdt` of it may come after the last sweep.
    settles = fund_entries and klass != "calm" and dice.random() < 0.25
    before_settlement = dice.uniform(20, 300) if settles else 3600.0
    return Scenario(
        klass=klass,
        seed=seed,
        cross=cross,
        fund_entries=fund_entries,
        keep=Decimal(dice.choice([0, 0, 250, 5000])) if fund_entries else Decimal(0),
        own_float=Decimal(0) if fund_entries else Decimal(dice.choice([200, 3000, 20000])),
        first=first,
        stays=stays,
        exits=_exits(dice, klass),
        entered=dice.random() < 0.6,
        entry_rules=_rules(dice, klass),
        entry_deaths=_deaths(dice),
        lag_s=dice.choice([0.0, dice.uniform(0, 30), 30.0]) if klass == "lost" else dice.choice([0.0, 2.0]),
        latency_s=dice.uniform(0.02, 0.3),
        loop_s=dice.choice([5.0, 5.0, 15.0]),
        start_s=START_S + SETTLEMENT_S - before_settlement,
        **_slowly(Random(f"slowly {klass} {seed}"), volatile, max(s.leverage for s in (first, stays) if s is not None)),
        dice=dice.randrange(1 << 30),
    )


def _slowly(dice: Random, volatile: bool, leverage: int) -> dict[str, Any]:
    """Orders that rest in the book, where the price stands still, and an account that lags, where the guard rests."""
    parts, behind_s = dice.choice([1, 1, 2, 4]), dice.choice([0.0, 0.0, 2.0, 7.0])
    return {
        "parts": 1 if volatile else parts,
        "gap_s": dice.uniform(0.5, 8),
        "behind_s": 0.0 if volatile or leverage > CALM_LEVERAGE else behind_s,
    }


def _short(dice: Random, pair: str) -> Short:
    return Short(pair, Decimal(dice.randint(600, 12_000)), dice.choice([2, 3, 3, 5, 8]))


def _exits(dice: Random, klass: str) -> tuple[Exit, ...]:
    """One to three exits; the last one may leave something open. All rises together stay within `stress_move`."""
    count = dice.choice([1, 1, 2, 3])
    longest_rise = LONGEST_RISE_S / count if klass == "volatile" else 0.0
    return tuple(_exit(dice, klass, last=n == count - 1, longest_rise=longest_rise) for n in range(count))


def _exit(dice: Random, klass: str, last: bool, longest_rise: float) -> Exit:
    whole = last and dice.random() < 0.8
    return Exit(
        share=Decimal(1) if whole else Decimal(dice.randint(20, 80)) / 100,
        announced=dice.random() < 0.75,
        loops=dice.randint(1, 3),
        rise_s=dice.uniform(2, longest_rise) if longest_rise else 0.0,
        lead_s=dice.uniform(0, 2) if longest_rise else 0.0,
        rules=_rules(dice, klass),
        deaths=_deaths(dice),
    )


def _deaths(dice: Random) -> tuple[float, ...]:
    return tuple(dice.random() for _ in range(dice.choice([0, 0, 0, 0, 1, 2])))


def _rules(dice: Random, klass: str) -> tuple[Rule, ...]:
    """Faults, mostly where they hurt: on what is sent."""
    if klass not in ("transient", "lost"):
        return ()
    rules = []
    for _ in range(dice.randint(1, 4)):
        where = dice.choice(
            [{"method": "POST", "path": TRANSFER}] * 3
            + [{"method": "POST", "path": ORDER}, {"method": "GET", "path": EVERYTHING}]
        )
        how: Rule = {"kind": dice.choice(LOST)} if klass == "lost" else dict(dice.choice(TRANSIENT))
        if how["kind"] == "limit":
            how["retry_after"] = dice.choice([1, 5, 30])
        rules.append({**where, **how, "skip": dice.choice([0, 0, 0, 1, 2]), "times": dice.choice([1, 1, 2])})
    return tuple(rules)
