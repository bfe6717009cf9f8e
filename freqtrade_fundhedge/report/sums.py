"""Sums over the trades of a backtest that grow with days, groups and candles, never with trades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from freqtrade_fundhedge.core.funding import FloatArray, IntArray

Numbers = Mapping[str, FloatArray]


@dataclass
class GroupSums:
    """Sums by the number of a group."""

    count: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    columns: dict[str, FloatArray] = field(default_factory=dict)

    def add(self, group: IntArray, amounts: Numbers) -> None:
        """Add trades: the group of each (n,), and what to sum, each (n,)."""
        length = max(len(self.count), int(group.max(initial=-1)) + 1)
        self.count = np.bincount(group, minlength=length) + np.pad(self.count, (0, length - len(self.count)))
        for name, values in amounts.items():
            before = self.columns.get(name, np.zeros(0))
            sums = np.bincount(group, weights=values, minlength=length).astype(np.float64)
            sums[: len(before)] += before
            self.columns[name] = sums


@dataclass
class Levels:
    """How much was open at once: sums of what opens and closes, by the moment, of which there is one a candle."""

    at_ms: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    columns: FloatArray = field(default_factory=lambda: np.zeros((4, 0)))

    def add(self, opened_ms: IntArray, closed_ms: IntArray, amounts: FloatArray) -> None:
        """Add trades: when each was opened and closed, and how much it took."""
        none, ones = np.zeros(len(amounts)), np.ones(len(amounts))
        more = np.block([[amounts, none], [none, amounts], [ones, none], [none, ones]])
        moments, index = np.unique(np.concatenate([self.at_ms, opened_ms, closed_ms]), return_inverse=True)
        rows = np.concatenate([self.columns, more], axis=1)
        self.columns = np.stack([np.bincount(index, weights=row, minlength=len(moments)) for row in rows])
        self.at_ms = moments

    @property
    def peak(self) -> float:
        """The most that was open at once; what closes in a moment still counts beside what opens in it."""
        opened, closed = np.cumsum(self.columns[0]), np.cumsum(self.columns[1])
        return float(np.max(opened - closed + self.columns[1], initial=0.0))

    @property
    def held_ms(self) -> float:
        """For how long anything was open."""
        open_trades = np.cumsum(self.columns[2] - self.columns[3])
        return float(np.sum(np.diff(self.at_ms)[open_trades[:-1] > 0.5]))
