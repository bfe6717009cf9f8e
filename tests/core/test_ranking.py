"""The order among pairs."""

from __future__ import annotations

from freqtrade_fundhedge.core.ranking import best_first, known_first

NAN = float("nan")


def test_the_best_net_carry_comes_first() -> None:
    """Pairs come in the order of what they are expected to earn, wherever they stood before."""
    assert best_first({"A": 0.001, "B": 0.004, "C": -0.002, "D": 0.003}) == ["B", "D", "A", "C"]


def test_ties_go_by_name() -> None:
    """Equal pairs come in the order of their names, whatever order they were given in."""
    assert best_first({"B": 0.1, "C": 0.1, "A": 0.1}) == best_first({"A": 0.1, "C": 0.1, "B": 0.1}) == ["A", "B", "C"]


def test_what_is_not_known_is_not_chosen() -> None:
    """A pair whose net carry is not known has no place in the order of entries."""
    assert best_first({"A": NAN, "B": -1.0}) == ["B"]
    assert best_first({}) == []


def test_a_pair_that_had_its_turn_goes_behind_the_others() -> None:
    """It is not shut out: without others it is first again."""
    assert best_first({"A": 0.3, "B": 0.2, "C": 0.1}, {"A"}) == ["B", "C", "A"]
    assert best_first({"A": 0.3, "B": 0.2}, {"A", "B"}) == ["A", "B"]


def test_measured_pairs_come_before_promising_ones() -> None:
    """Net carry decides; pairs for which only a promise is known follow by that, unknown ones at the end."""
    promise = {"A": 0.9, "B": 0.1, "C": 0.2, "D": NAN, "E": 0.9}
    assert known_first({"B": -0.01, "C": 0.02, "A": NAN}, promise) == ["C", "B", "A", "E", "D"]
