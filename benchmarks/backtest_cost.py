"""Time of `freqtrade backtesting` with FundHedgeStrategy against Freqtrade's own sample strategy, in one run.

Eight pairs, five years of 1 h: made-up candles, in which a hedge lasts ten days, and with DATADIR real ones, in which
it lasts months while the sample strategy is out after a day. Freqtrade works on every candle with an open trade: the
second is the harder one. The two strategies take turns; medians. The exchange is the sandbox. On a machine that does
other things, too, CPU seconds say more.

    python benchmarks/backtest_cost.py [DATADIR] [--repeat 3] [--pairs BTC ETH]
"""

from __future__ import annotations

import argparse
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

from freqtrade_fundhedge.sandbox import SandboxServer, freqtrade_config

ROOT = Path(__file__).parents[1]
COINS = ("BTC", "ETH", "BNB", "SOL", "XRP", "DOGE", "ADA", "LINK")


def config(url: str, pairs: list[str]) -> dict[str, object]:
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

    def timed(self, strategy: str, strategies: Path) -> tuple[float, float, int]:
        """Seconds, user CPU seconds and number of trades of one backtest."""
        words = [
            sys.executable, "-m", "freqtrade", "backtesting", "-c", str(self.home / "config.json"),
            "--userdir", str(self.home), "--datadir", str(self.datadir), "--strategy-path", str(strategies),
            "--strategy", strategy, "--timeframe", "1h", "--timerange", self.timerange, "--cache", "none",
            "--export", "none",
        ]  # fmt: skip
        cpu, begun = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, time.perf_counter()
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        took = time.perf_counter() - begun
        if done.returncode:
            raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
        found = re.search(rf"{strategy}\s*│\s*(\d+)", done.stdout)
        spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - cpu
        return took, spent, int(found.group(1)) if found else 0

    def compare(self, repeat: int) -> None:
        """Print the medians of both strategies, which take turns."""
        both = {"SampleStrategy": self.home, "FundHedgeStrategy": ROOT / "user_data" / "strategies"}
        runs: dict[str, list[tuple[float, float, int]]] = {name: [] for name in both}
        for _ in range(repeat):
            for name, folder in both.items():
                runs[name].append(self.timed(name, folder))
        medians = {name: [median(run[i] for run in found) for i in (0, 1, 2)] for name, found in runs.items()}
        for name, (seconds, cpu, trades) in medians.items():
            print(f"{self.name:8} {name:18} {seconds:6.1f} s  {cpu:6.1f} s CPU  {trades:5.0f} trades")
        (sample_s, sample_cpu, _), (ours_s, ours_cpu, _) = medians.values()
        print(
            f"{self.name:8} ratio of medians   {ours_s / sample_s:6.2f}    {ours_cpu / sample_cpu:6.2f} CPU", flush=True
        )


def made_up(home: Path, coins: list[str]) -> Bench:
    sys.path.insert(0, str(ROOT / "tests"))
    from synthetic import write_pair  # noqa: PLC0415

    for seed, coin in enumerate(coins):
        write_pair(home / "made-up", coin, coin, 1.0, 365 * 5 + 41, seed, 100.0)
    return Bench("made-up", home, home / "made-up", "20240211-")


def write_config(home: Path, url: str, coins: list[str]) -> None:
    (home / "config.json").write_text(json.dumps(config(url, [f"{coin}/USDT:USDT" for coin in coins])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datadir", type=Path, nargs="?", help="real candles, a data directory of Freqtrade")
    parser.add_argument("--pairs", nargs="*", default=[], help="perpetuals in that directory; all of them by default")
    parser.add_argument("--since", default="20201001", help="where real candles begin")
    parser.add_argument("--repeat", type=int, default=3)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, SandboxServer(own_process=True) as sandbox:
        home = Path(folder)
        sample = Path(freqtrade.__file__).parent / "templates" / "sample_strategy.py"
        (home / "sample_strategy.py").write_text(sample.read_text())
        write_config(home, sandbox.url, list(COINS))
        made_up(home, list(COINS)).compare(wanted.repeat)
        if wanted.datadir is not None:
            files = (wanted.datadir / "futures").glob("*_USDT_USDT-1h-futures.feather")
            coins = wanted.pairs or sorted(file.name.partition("_")[0] for file in files)
            write_config(home, sandbox.url, coins)
            Bench("real", home, wanted.datadir.resolve(), f"{wanted.since}-").compare(wanted.repeat)


if __name__ == "__main__":
    main()
