"""Time of `freqtrade backtesting` with FundHedgeStrategy against Freqtrade's own sample strategy, in one run.

Eight pairs, five years of 1 h: made-up candles, in which a hedge lasts ten days, and, where there are any, real ones,
in which it lasts months while the sample strategy is out after a day. Freqtrade works on every candle with an open
trade: the second is the harder one. The two strategies take turns. The exchange is the sandbox. On a machine that does
other things, too, CPU seconds say more: they are judged.

    python -m benchmarks.backtest_cost [--data DATADIR] [--repeat 2] [--pairs BTC ETH]
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import freqtrade

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from real_data import REAL_DATA
from synthetic import write_pair

from benchmarks.rows import Row, options, row, show
from freqtrade_fundhedge.sandbox import SandboxServer, freqtrade_config

ROOT = Path(__file__).parents[1]
COINS = ("BTC", "ETH", "BNB", "SOL", "XRP", "DOGE", "ADA", "LINK")
STRATEGIES = ("FundHedgeStrategy", "SampleStrategy")
LIMIT = 1.3
TIMEOUT_S = 300.0


def config(url: str, pairs: list[str]) -> dict[str, object]:
    """Freqtrade's configuration."""
    side = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
    return {
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "stake_currency": "USDT",
        "stake_amount": 1000,
        "max_open_trades": len(pairs),
        "dry_run": True,
        "dry_run_wallet": 100000,
        "entry_pricing": side,
        "exit_pricing": side,
        "pairlists": [{"method": "StaticPairList"}],
        "exchange": freqtrade_config(url, pair_whitelist=pairs),
        "fundhedge": {"margin": {"leverage": 1}},
    }


@dataclass(frozen=True)
class Bench:
    """One kind of candles, and a folder to run Freqtrade in."""

    name: str
    home: Path
    datadir: Path
    timerange: str
    coins: list[str]

    def timed(self, strategy: str) -> tuple[float, float, int]:
        """Seconds by the clock, CPU seconds and number of trades of one backtest."""
        words = [
            sys.executable, "-m", "freqtrade", "backtesting", "-c", str(self.home / "config.json"),
            "--userdir", str(self.home), "--datadir", str(self.datadir), "--strategy-path", str(self.home),
            "--strategy", strategy, "--timeframe", "1h", "--timerange", self.timerange, "--cache", "none",
            "--export", "none",
        ]  # fmt: skip
        cpu, begun = children_cpu_s(), time.perf_counter()
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
        took = time.perf_counter() - begun
        found = re.search(rf"{strategy}\s*│\s*(\d+)", done.stdout)
        if done.returncode or found is None:
            raise SystemExit(f"{(done.stdout + done.stderr)[-2000:]}\nno backtest of {strategy}, {self.name} candles")
        return took, children_cpu_s() - cpu, int(found[1])

    def row(self, url: str, repeat: int) -> Row:
        """Both strategies, which take turns."""
        pairs = [f"{coin}/USDT:USDT" for coin in self.coins]
        (self.home / "config.json").write_text(json.dumps(config(url, pairs)))
        runs: dict[str, list[tuple[float, float, int]]] = {name: [] for name in STRATEGIES}
        for _ in range(repeat):
            for name in STRATEGIES:
                runs[name].append(self.timed(name))
        (ours, our_cpu, trades), (theirs, their_cpu, their_trades) = (
            [median(run[i] for run in runs[name]) for i in (0, 1, 2)] for name in STRATEGIES
        )
        ratio = our_cpu / their_cpu
        return row(
            f"backtest of FundHedgeStrategy, {len(pairs)} pairs, {self.name} 1 h candles, {trades:,.0f} trades: CPU",
            [run[1] for run in runs[STRATEGIES[0]]], "s", limit=f"{LIMIT} x", kept=ratio <= LIMIT,
            against=f"{their_cpu:.1f} s of Freqtrade's sample strategy, {their_trades:,.0f} trades: {ratio:.2f} x; "
            f"by the clock {ours:.1f} s and {theirs:.1f} s: {ours / theirs:.2f} x",
        )  # fmt: skip


def children_cpu_s() -> float:
    """CPU seconds of what this process has started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def strategies(home: Path) -> None:
    """Both, in one folder."""
    for path in (
        Path(freqtrade.__file__).parent / "templates" / "sample_strategy.py",
        ROOT / "user_data" / "strategies" / "FundHedgeStrategy.py",
    ):
        (home / path.name).write_text(path.read_text())


def made_up(home: Path, coins: list[str], years: int) -> Bench:
    """Candles that are the same on each machine; the first weeks are what the strategies need to start."""
    for seed, coin in enumerate(coins):
        write_pair(home / "made-up", coin, coin, 1.0, 365 * years + 41, seed, 100.0)
    return Bench("made-up", home, home / "made-up", "20240211-", coins)


def real(home: Path, datadir: Path, timerange: str, coins: list[str]) -> Bench:
    """Perpetuals in a data folder of Freqtrade's; all of them unless some are named."""
    files = sorted((datadir / "futures").glob("*_USDT_USDT-1h-futures.feather"))
    return Bench("Binance's", home, datadir.resolve(), timerange, coins or [f.name.partition("_")[0] for f in files])


def main() -> None:
    parser = options(__doc__)
    parser.add_argument(
        "--data", type=Path, default=REAL_DATA / "binance", help="real candles, a folder of Freqtrade's"
    )
    parser.add_argument("--pairs", nargs="*", default=[], help="perpetuals in that folder; all of them by default")
    parser.add_argument("--timerange", default="20201001-", help="of the real candles")
    parser.add_argument("--repeat", type=int, default=2)
    wanted = parser.parse_args()
    coins = list(COINS)
    if wanted.quick:
        coins, wanted.pairs, wanted.timerange = coins[:2], ["BTC", "ETH"], "20240101-"
        wanted.repeat = 1
    with tempfile.TemporaryDirectory() as folder, SandboxServer(own_process=True) as sandbox:
        home = Path(folder)
        strategies(home)
        show([made_up(home, coins, 1 if wanted.quick else 5).row(sandbox.url, wanted.repeat)], wanted.json)
        if (wanted.data / "futures").is_dir():
            bench = real(home, wanted.data, wanted.timerange, wanted.pairs)
            show([bench.row(sandbox.url, wanted.repeat)], wanted.json)


if __name__ == "__main__":
    main()
