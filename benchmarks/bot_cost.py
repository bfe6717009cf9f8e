"""What the plugin adds to a bot's loop: the same strategy with and without the mixin, in real Freqtrade processes.

Each against a sandbox exchange of its own, with so many whitelisted pairs and open shorts, in turns: while one works
the other one is stopped, or each would slow the other down, and not alike. Own CPU per quiet loop is the difference of
both processes' CPU time from one loop to the next, so that nothing of ours is left out: callbacks, ccxt's parsing,
threads.

    python -m benchmarks.bot_cost [--pairs 300] [--hedges 50] [--loops 60]
"""

from __future__ import annotations

import signal
import statistics
import tempfile
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

from benchmarks.bots import Line, Probed, loops, probed
from benchmarks.rows import Row, options, row, show

LIMIT = 0.05
START_S = 900.0
# A machine's speed drifts; what piled up while a bot was stopped does not count.
TURN_LOOPS, SKIPPED = 6, 1


def run_both(pairs: int, hedges: int, count: int) -> dict[str, list[list[Line]]]:
    """The probes' lines of so many quiet loops of either bot, a list a turn."""
    wallets = {"spot_usdt": 10**6, "futures_usdt": 10**6}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        bots: dict[str, Probed] = {}
        for name in ("Plain", "Hedged"):
            settings = {} if name == "Plain" else {"fundhedge": {"margin": {"fund_entries": False}}}
            bot = probed(Path(folder) / name, name, hedges, pairs, settings, **wallets)
            bots[name] = opened.enter_context(bot)
            bots[name].start()
        for bot in bots.values():
            bot.all_open(START_S)
            bot.looped(5, START_S)
            bot.send(signal.SIGSTOP)
        found: dict[str, list[list[Line]]] = {name: [] for name in bots}
        for name in [*bots] * max(1, count // TURN_LOOPS):
            bots[name].send(signal.SIGCONT)
            found[name].append(a_turn(bots[name], TURN_LOOPS))
            bots[name].send(signal.SIGSTOP)
        return found


def a_turn(bot: Probed, count: int) -> list[Line]:
    """So many loops of a bot that works again."""
    bot.looped(SKIPPED, START_S)
    since = len(bot.lines())
    bot.looped(count, START_S)
    return bot.lines()[since:]


def cpu(turns: list[list[Line]]) -> list[float]:
    """CPU milliseconds of the process from each loop to the next."""
    return [(b[0]["loop"] - a[0]["loop"]) * 1000 for lines in turns for a, b in pairwise(loops(lines))]


def rows(found: dict[str, list[list[Line]]], about: str) -> list[Row]:
    """CPU and requests per quiet loop."""
    plain, hedged = cpu(found["Plain"]), cpu(found["Hedged"])
    own = statistics.median(hedged) - statistics.median(plain)
    share = own / statistics.median(plain)
    every = [loop for lines in found["Hedged"] for loop in loops(lines)]
    asked = {who: [sum(r["ours"] is who for r in loop[1:]) for loop in every] for who in (True, False)}
    return [
        row(
            f"quiet loop of a bot, {about}: CPU", hedged, "ms", limit=f"{LIMIT:.0%} more", kept=share <= LIMIT,
            against=f"{statistics.median(plain):.1f} ms without the mixin: {own:+.1f} ms, {share:+.1%}",
        ),
        row(
            f"quiet loop of a bot, {about}: requests of ours", asked[True], digits=0, limit="2",
            kept=statistics.median(asked[True]) <= 2,
            against=f"{statistics.median(asked[False]):.0f} of Freqtrade's own",
        ),
    ]  # fmt: skip


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--hedges", type=int, default=50)
    parser.add_argument("--loops", type=int, default=60)
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.pairs, wanted.hedges, wanted.loops = 40, 10, 15
    about = f"{wanted.hedges} hedges, {wanted.pairs} pairs"
    show(rows(run_both(wanted.pairs, wanted.hedges, wanted.loops), about), wanted.json)


if __name__ == "__main__":
    main()
