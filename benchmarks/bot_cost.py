"""What the plugin adds to a bot's loop: the same strategy with and without the mixin, in real Freqtrade processes.

Both bots run at the same time, each against a sandbox exchange of its own, with so many whitelisted pairs and open
shorts. Own CPU per quiet loop is the difference of both processes' CPU time from one loop to the next, so that nothing
of ours is left out: callbacks, ccxt's parsing, threads.

    python -m benchmarks.bot_cost [--pairs 300] [--hedges 50] [--loops 40]
"""

from __future__ import annotations

import statistics
import tempfile
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

from benchmarks.bots import Line, Probed, loops, probed
from benchmarks.rows import Row, options, row, show

LIMIT = 0.05
START_S = 900.0


def run_both(pairs: int, hedges: int, count: int) -> dict[str, list[Line]]:
    """The probes' lines of so many quiet loops of either bot."""
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
        skipped = {name: len(bot.lines()) for name, bot in bots.items()}
        for bot in bots.values():
            bot.looped(count, START_S)
        return {name: bot.lines()[skipped[name] :] for name, bot in bots.items()}


def cpu(lines: list[Line]) -> list[float]:
    """CPU milliseconds of the process from each loop to the next."""
    return [(b[0]["loop"] - a[0]["loop"]) * 1000 for a, b in pairwise(loops(lines))]


def rows(found: dict[str, list[Line]], about: str) -> list[Row]:
    """CPU and requests per quiet loop."""
    plain, hedged = cpu(found["Plain"]), cpu(found["Hedged"])
    own = statistics.median(hedged) - statistics.median(plain)
    share = own / statistics.median(plain)
    asked = {who: [sum(r["ours"] is who for r in loop[1:]) for loop in loops(found["Hedged"])] for who in (True, False)}
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
    parser.add_argument("--loops", type=int, default=40)
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.pairs, wanted.hedges, wanted.loops = 40, 10, 15
    about = f"{wanted.hedges} hedges, {wanted.pairs} pairs"
    show(rows(run_both(wanted.pairs, wanted.hedges, wanted.loops), about), wanted.json)


if __name__ == "__main__":
    main()
