"""A slice of the chaos run, and treasurers that it must catch."""

from __future__ import annotations

import pytest

from benchmarks.chaos.__main__ import main
from benchmarks.chaos.batch import Job, play_many
from benchmarks.chaos.plan import CLASSES, ORDER, TRANSFER, scenario
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.intents import Move, State
from freqtrade_fundhedge.core.treasury import Movement, Needs
from freqtrade_fundhedge.journal_rows import OrderRow, TransferRow
from freqtrade_fundhedge.spot_leg import SpotLeg
from freqtrade_fundhedge.treasurer import Treasurer
from freqtrade_fundhedge.venue.port import FuturesAccount


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


def test_a_slice_of_every_class() -> None:
    """Six seeds of each class: nothing doubled, everything delivered, and the snippet does worse."""
    pairs = play_many([(klass, seed) for seed in range(6) for klass in CLASSES])
    assert [(r.klass, r.seed, r.violations) for r, _ in pairs if r.violations] == []
    assert sum(ours.due for ours, _ in pairs) > 10_000
    assert sum(snippet.left for _, snippet in pairs) > 100 * sum(ours.left for ours, _ in pairs)


def jobs(klass: str, count: int, *wanted: str) -> list[Job]:
    """The first scenarios with enough of the user's own USDT in reach of a second send, and faults on these paths."""
    found = []
    for plan in (scenario(klass, seed) for seed in range(1000)):
        paths = {rule["path"] for item in plan.exits for rule in item.rules if rule["method"] == "POST"}
        if plan.own_float >= 3000 and paths >= set(wanted):
            found.append((klass, plan.seed))
    return found[:count]


def test_a_treasurer_that_takes_unknown_for_failed_is_caught() -> None:
    """With lost answers it sends again what had arrived, and the run says so."""
    results = [ours for ours, _ in play_many(jobs("lost", 4, TRANSFER), hasty_treasurer)]
    assert sum(result.doubled_transfers for result in results) > 0
    assert all(result.violations for result in results if result.doubled_transfers)


def test_a_spot_leg_that_takes_unknown_for_failed_is_caught() -> None:
    """It sells twice what the short no longer needs: coins that are the user's."""
    results = [ours for ours, _ in play_many(jobs("lost", 4, ORDER), hasty_spot_leg)]
    assert sum(result.doubled_orders for result in results) > 0
    assert all(result.violations for result in results if result.doubled_orders)


def test_a_treasurer_that_never_sweeps_is_caught() -> None:
    """What stays behind is a violation even on a calm day."""
    results = [ours for ours, _ in play_many(jobs("calm", 2), idle_treasurer)]
    assert all("not delivered" in " ".join(result.violations) for result in results)


def test_a_seed_can_be_played_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The same class and seed throw the same dice, from the command line too."""
    assert scenario("lost", 7) == scenario("lost", 7)
    assert main(["--class", "calm", "--seed", "3"]) == 0
    assert "1 scenarios" in capsys.readouterr().out
