"""Real Freqtrade processes with the probed strategy, each against a sandbox exchange of its own."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

from harness import ORDER, SPOT_ORDER, SWEEP, TOP_UP, TRANSFER, Market, Run, deep_merge, shorts

from freqtrade_fundhedge.sandbox import SandboxControl, SandboxServer

__all__ = ["ORDER", "SPOT_ORDER", "SWEEP", "TOP_UP", "TRANSFER", "Probed", "coins", "loops", "probed", "shorts"]

STRATEGIES = Path(__file__).parent / "strategies"
RATE = "0.0004"
Line = dict[str, Any]


def coins(count: int) -> tuple[Market, ...]:
    """The sandbox's made-up markets."""
    names = [f"M{number:03}" for number in range(count)]
    return tuple(Market(f"{n}USDT", f"{n}/USDT:USDT", n, f"{n}USDT", 1, Decimal("0.001")) for n in names)


@dataclass
class Probed(Run):
    """A bot that writes down what it does."""

    hedges: int = 0

    def start(self) -> None:
        """See `Run.start`."""
        os.environ["FUNDHEDGE_PROBE"] = str(self.folder / "probe.jsonl")
        super().start()

    def send(self, what: signal.Signals) -> None:
        """Stop the process for a while, or let it go on."""
        if self.process is not None:
            self.process.send_signal(what)

    def stop(self, how: int = signal.SIGINT) -> int:
        """See `Run.stop`; what is stopped would not hear of it."""
        self.send(signal.SIGCONT)
        return super().stop(how)

    def lines(self) -> list[Line]:
        """What the probe has written so far."""
        path = self.folder / "probe.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def looped(self, count: int, timeout: float, since: int | None = None) -> None:
        """Wait for so many loops from now, or from so many lines on."""
        goal = sum("loop" in line for line in self.lines()[:since]) + count + 1
        self.wait(f"{count} loops", lambda: sum("loop" in line for line in self.lines()) >= goal, timeout)

    def keep_pace(self, seconds: float) -> None:
        """From the next loop on begin one each so many seconds; less for those that last longer."""
        (self.folder / "pace").write_text(str(seconds))

    def all_open(self, timeout: float) -> None:
        """Wait until every slot is taken."""
        self.wait("all shorts open", lambda: len(shorts(self.sandbox.books())) >= self.hedges, timeout)


@contextmanager
def probed(
    folder: Path, strategy: str, hedges: int, pairs: int, settings: dict[str, Any] | None = None, **server: Any
) -> Iterator[Probed]:
    """A bot that is not started yet, and its sandbox; both are ended whatever happens."""
    folder.mkdir(exist_ok=True)
    base: dict[str, Any] = {
        "strategy": strategy, "strategy_path": str(STRATEGIES), "stake_amount": 100, "max_open_trades": hedges,
    }  # fmt: skip
    if strategy == "Plain":
        base["fundhedge"] = None
    with SandboxServer(own_process=True, more_coins=pairs, **server) as exchange:
        control = SandboxControl(exchange.url, timeout=60)
        for market in coins(hedges):
            control.post("funding", symbol=market.symbol, rate=RATE)
        run = Probed(folder, control, deep_merge(base, settings or {}), coins(pairs), hedges=hedges)
        try:
            yield run
        finally:
            run.stop()


def loops(lines: list[Line]) -> list[list[Line]]:
    """Requests of each whole loop, in their order; its first line is the loop's own."""
    found: list[list[Line]] = []
    for line in lines:
        if "loop" in line:
            found.append([line])
        elif found:
            found[-1].append(line)
    return found[:-1]
