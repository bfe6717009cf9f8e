"""Which of several pairs with a signal may enter now."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from freqtrade_fundhedge import choice
from freqtrade_fundhedge.choice import PATIENCE_S, Choice
from freqtrade_fundhedge.config import parse
from freqtrade_fundhedge.core.entry import EntryPlan
from freqtrade_fundhedge.venue.perpetuals import FundingQuote

NAN = float("nan")
OWN_FLOAT = {"margin": {"fund_entries": False}}
PAIRS = ("A", "B", "C", "D")


@dataclass
class Provider:
    """Analysed candles by pair, in the order of the whitelist."""

    frames: dict[str, pd.DataFrame]

    def current_whitelist(self) -> list[str]:
        return list(self.frames)

    def get_analyzed_dataframe(self, pair: str, _timeframe: str) -> tuple[pd.DataFrame, None]:
        return self.frames[pair], None


class Signals:
    """Freqtrade's own signal, as far as it matters here."""

    def get_entry_signal(self, _pair: str, _timeframe: str, frame: pd.DataFrame) -> tuple[str | None, None]:
        return ("short" if frame["enter_short"].iloc[-1] else None), None


@dataclass
class Strategy(Choice, Signals):
    """Four pairs, the better the later; what a test changes are its fields."""

    carry: dict[str, float] = field(default_factory=lambda: dict(zip(PAIRS, (0.01, 0.02, 0.03, 0.04), strict=True)))
    settings: dict[str, Any] = field(default_factory=dict)
    slots: float = 2
    gate: bool = False
    locked: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    plan: EntryPlan | None = None

    def __post_init__(self) -> None:
        self.config, self.timeframe = {"max_open_trades": self.slots}, "1h"
        self.fundhedge_settings, self.fundhedge_gate = parse({"fundhedge": self.settings}), self.gate
        quote = FundingQuote(0.001, 8, 0, 1, 1)
        controller = SimpleNamespace(plan=self.plan, funding={"A": quote, "B": quote})
        self._fundhedge: Any = SimpleNamespace(controller=controller)
        self._fundhedge_queue, self._fundhedge_turns, self._fundhedge_figures = None, {}, {}
        self.candle("2026-01-01")

    def candle(self, date: str) -> None:
        frames = {
            pair: pd.DataFrame(
                {"date": [pd.Timestamp(date)], "enter_short": [pair not in self.silent], "net_carry": [value],
                 "basis_gain": [0.0]}
            )
            for pair, value in self.carry.items()
        }  # fmt: skip
        self.dp = Provider(frames)

    def is_pair_locked(self, pair: str, **_kwargs: Any) -> bool:
        return pair in self.locked

    def loop(self, *open_pairs: str) -> list[str]:
        """Who may enter in one loop, asked in the order of the whitelist."""
        self._new_loop()
        return [pair for pair in self.carry if pair not in open_pairs and self._its_turn(pair, open_pairs)]


def planned(pair: str) -> EntryPlan:
    return EntryPlan(pair, Decimal(1), Decimal(1), Decimal(1), Decimal(1), 0.0)


def test_the_free_slots_go_to_the_best() -> None:
    """With margin at hand, as many may enter as there are free slots, the best ones; the others wait."""
    strategy = Strategy(settings=OWN_FLOAT)
    assert strategy.loop() == ["C", "D"]
    assert strategy.loop("D") == ["C"]
    assert strategy.loop("D", "C") == []
    assert Strategy(settings=OWN_FLOAT, slots=float("inf")).loop() == list(PAIRS)


def test_margin_is_fetched_for_the_best_first() -> None:
    """When each entry's margin is fetched, one pair at a time has its turn, the best."""
    strategy = Strategy()
    assert strategy.loop() == ["D"]
    assert strategy.loop("D") == ["C"]


def test_margin_on_its_way_is_used_for_its_pair() -> None:
    """A pair whose margin is being fetched keeps its turn, even if another one has become better."""
    assert "B" in Strategy(plan=planned("B")).loop()
    assert Strategy(plan=planned("B"), silent={"B"}).loop() == ["D"]


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({"silent": {"D"}}, "C"),
        ({"locked": {"D", "C"}}, "B"),
        ({"gate": True}, "B"),
        ({"carry": {"A": 0.01, "B": NAN, "C": 0.02}}, "C"),
        ({"carry": {"B": 0.02, "A": 0.02}}, "A"),
    ],
)
def test_only_those_that_would_enter_count(changes: dict[str, Any], first: str) -> None:
    """Without a signal, locked, of unknown funding or carry: a pair takes nobody's place. Ties go by name."""
    assert Strategy(**changes).loop() == [first]


def test_what_is_not_known_never_enters() -> None:
    """A pair without a known net carry waits, even alone."""
    assert Strategy(carry={"A": NAN}, settings=OWN_FLOAT).loop() == []


def test_a_strategy_without_the_column_keeps_freqtrades_order() -> None:
    """Where nothing says which is better, everyone may try."""
    strategy = Strategy()
    for frame in strategy.dp.frames.values():
        del frame["net_carry"]
    assert strategy.loop() == list(PAIRS)


def test_a_pair_that_does_not_get_in_lets_others_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its patience is over, or at once when it is refused, the next best has its turn, until the next candle."""
    clock = SimpleNamespace(now=1e9)
    monkeypatch.setattr(choice, "time", SimpleNamespace(time=lambda: clock.now))
    strategy = Strategy()
    assert strategy.loop() == ["D"]
    clock.now += PATIENCE_S - 1
    assert strategy.loop() == ["D"]
    clock.now += 2
    assert strategy.loop() == ["C"]
    strategy._pass_over("C")
    assert strategy.loop() == ["B"]
    strategy.candle("2026-01-02")
    assert strategy.loop() == ["D"]
