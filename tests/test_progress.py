"""The bar of commands that take a while: there when it is needed, and only where somebody looks."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from freqtrade_fundhedge.cli_progress import waiting


@pytest.mark.parametrize(("terminal", "takes_s", "shown"), [(True, 0.4, True), (True, 0.0, False), (False, 0.4, False)])
def test_a_bar_is_there_for_what_takes_long(terminal: bool, takes_s: float, shown: bool) -> None:
    """It says what is done and how far it is, on a terminal, after a while; a file or a pipe never sees it."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=80)
    with waiting("reading", after_s=0.05, console=console) as tell:
        tell(1200, 5000)
        time.sleep(takes_s)
        tell(what="drawing")
        time.sleep(takes_s)
    for text in ("reading", "1,200/5,000", "drawing"):
        assert (text in written.getvalue()) is shown


def test_a_bar_goes_with_an_error() -> None:
    """An error passes through, and nothing draws on."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=True)

    def fail() -> None:
        with waiting("reading", after_s=0.01, console=console):
            time.sleep(0.1)
            raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        fail()
    left = written.getvalue()
    time.sleep(0.3)
    assert written.getvalue() == left
