"""A slice of the chaos run, and treasurers that it must catch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchmarks.chaos.__main__ import main
from benchmarks.chaos.batch import Day, Job, play_many
from benchmarks.chaos.plan import CLASSES, ORDER, TRANSFER, scenario
from benchmarks.chaos.run import Result
from benchmarks.chaos.stream import BEHAVIOURS
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.intents import Move, State
from freqtrade_fundhedge.core.treasury import Movement, Needs
from freqtrade_fundhedge.early_fills import EarlyFills
from freqtrade_fundhedge.journal_rows import OrderRow, TransferRow
from freqtrade_fundhedge.spot_leg import SpotLeg
from freqtrade_fundhedge.treasurer import Treasurer
from freqtrade_fundhedge.venue.port import FuturesAccount, OrderFill


class HastyTreasurer(Treasurer):
    """Takes an answer that never came for a refusal."""

    def resolve(self, row: TransferRow, account: FuturesAccount | None = None) -> bool:
        """Unknown becomes failed at once."""
        journal, now = self.ctx.journal, self.ctx.clock()
        if row.state is State.SENT:
            row = journal.transfer_moved(row.intent_id, Move.LOSE, "", now)
        move = Move.GIVE_UP if row.state is State.PLANNED else Move.PROVE_ABSENT
        journal.transfer_moved(row.intent_id, move, "no answer, so it failed", now)
        return True


class HastySpotLeg(SpotLeg):
    """The same with orders."""

    def resolve(self, row: OrderRow) -> bool:
        """Unknown becomes failed at once."""
        if row.state is State.SENT:
            row = self.ctx.journal.order_moved(row.intent_id, Move.LOSE, "", self.ctx.clock())
        self.ctx.journal.order_moved(row.intent_id, Move.PROVE_ABSENT, "no answer, so it failed", self.ctx.clock())
        return True


class IdleTreasurer(Treasurer):
    """Believes that everything is where it belongs."""

    def step(self, account: FuturesAccount, needs: Needs) -> Movement | None:
        """Never sweeps; entries are paid from the user's own float."""
        return None


def hasty_treasurer(controller: Controller) -> None:
    controller.treasurer = HastyTreasurer(controller.ctx)


def hasty_spot_leg(controller: Controller) -> None:
    controller.spot = HastySpotLeg(controller.ctx)


def idle_treasurer(controller: Controller) -> None:
    controller.treasurer = IdleTreasurer(controller.ctx)


class Gullible(EarlyFills):
    """Takes each message for an order of its own."""

    def _is_news(self, fill: OrderFill) -> bool:
        owner = self._owner(fill)
        if owner is None or not fill.filled:
            return False
        fill = replace(fill, order_id=f"{fill.order_id}-{len(self._fills)}")
        self._owners[fill.pair, fill.order_id] = owner
        self._fills[fill.pair, fill.order_id] = fill
        self._due[fill.pair] = fill
        return True


def gullible(controller: Controller) -> None:
    controller.early = Gullible(controller.ctx, controller.spot, prefix=controller.early.prefix)


def test_a_slice_of_every_class() -> None:
    """Two seeds of each class: nothing doubled, everything delivered, and the snippet does worse."""
    days = play_many([(klass, seed) for seed in range(2) for klass in CLASSES], streams=("prompt",))
    assert [(day.snippet.klass, day.snippet.seed, day.violations) for day in days if day.violations] == []
    ours = [day.streams[0] for day in days]
    assert sum(result.due for result in ours) > 5_000
    assert sum(day.snippet.left for day in days) > 100 * sum(result.left for result in ours)


def test_what_the_stream_does_changes_no_outcome() -> None:
    """Without it, prompt, killed, delayed, doubled, out of order and all of that with nonsense: the same day's end."""
    days = play_many([("calm", 2), ("volatile", 4), ("lost", 3)])
    assert [result.stream for result in days[0].streams] == list(BEHAVIOURS)
    assert [(day.snippet.klass, day.snippet.seed, day.violations) for day in days if day.violations] == []
    plain, prompt = (sum(day.streams[i].naked for day in days) for i in (0, 1))
    assert prompt <= plain


def test_a_bot_that_believes_every_message_is_caught() -> None:
    """One that counts doubled messages twice trades too much, and the run says so."""
    days = play_many(jobs("calm", 6), gullible, ("none", "duplicated"))
    assert all(not day.streams[0].violations for day in days)
    assert any(day.violations for day in days)


def jobs(klass: str, count: int, *wanted: str) -> list[Job]:
    """The first scenarios with enough of the user's own USDT in reach of a second send, and faults on these paths."""
    found = []
    for plan in (scenario(klass, seed) for seed in range(1000)):
        paths = {rule["path"] for item in plan.exits for rule in item.rules if rule["method"] == "POST"}
        if plan.own_float >= 3000 and paths >= set(wanted):
            found.append((klass, plan.seed))
    return found[:count]


def results_of(days: Sequence[Day]) -> list[Result]:
    return [result for day in days for result in day.streams]


def test_a_treasurer_that_takes_unknown_for_failed_is_caught() -> None:
    """With lost answers it sends again what had arrived, and the run says so."""
    results = results_of(play_many(jobs("lost", 4, TRANSFER), hasty_treasurer, ("prompt",)))
    assert sum(result.doubled_transfers for result in results) > 0
    assert all(result.violations for result in results if result.doubled_transfers)


def test_a_spot_leg_that_takes_unknown_for_failed_is_caught() -> None:
    """It sells twice what the short no longer needs: coins that are the user's."""
    results = results_of(play_many(jobs("lost", 4, ORDER), hasty_spot_leg, ("prompt",)))
    assert sum(result.doubled_orders for result in results) > 0
    assert all(result.violations for result in results if result.doubled_orders)


def test_a_treasurer_that_never_sweeps_is_caught() -> None:
    """What stays behind is a violation even on a calm day."""
    results = results_of(play_many(jobs("calm", 2), idle_treasurer, ("none",)))
    assert all("not delivered" in " ".join(result.violations) for result in results)


def test_a_seed_can_be_played_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The same class and seed throw the same dice, from the command line too."""
    assert scenario("lost", 7) == scenario("lost", 7)
    assert main(["--class", "calm", "--seed", "3", "--streams", "none", "all"]) == 0
    assert "1 scenarios, 2 days" in capsys.readouterr().out
